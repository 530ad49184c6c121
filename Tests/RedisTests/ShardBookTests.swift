import BelfryCore
import BelfrySimulation
import Testing

@testable import BelfryRedis
@testable import BelfryRedisClient

@Suite("What a process knows of shards")
struct ShardBookTests {
    private let book = ShardBook(shards: 1, clock: ManualClock())

    @Test("an answer that was on its way does not hide what somebody put meanwhile")
    func hintDuringCall() throws {
        let look = book.begin([0])[0]
        book.hint(0, due: at(5))
        book.hear(0, try answer(nextDue: nil, steady: 10), since: look)
        #expect(book.nextDue == at(5))
        let later = book.begin([0])[0]
        book.hear(0, try answer(nextDue: 9, steady: 10), since: later)
        #expect(book.nextDue == at(9))
    }

    @Test("an answer that is overtaken by a newer one changes nothing")
    func overtaken() throws {
        let (look, put) = (book.begin([0])[0], book.begin([0])[0])
        book.hear(0, try answer(nextDue: 5, steady: 11), since: put)
        book.hear(0, try answer(nextDue: nil, steady: 10), since: look)
        #expect(book.nextDue == at(5))
    }

    @Test("of two answers of one millisecond, whose order nobody knows, the earlier time counts")
    func tie() throws {
        let (look, put) = (book.begin([0])[0], book.begin([0])[0])
        book.hear(0, try answer(nextDue: 5, steady: 10), since: put)
        book.hear(0, try answer(nextDue: nil, steady: 10), since: look)
        #expect(book.nextDue == at(5))
    }

    private func at(_ milliseconds: Int64) -> Timestamp { Timestamp(milliseconds: milliseconds) }

    private func answer(nextDue: Int?, steady: Int) throws -> ShardAnswer {
        let due: RedisReply = nextDue.map { .integer($0) } ?? RedisReply.none
        return try #require(
            ShardAnswer(
                .array([
                    .integer(1), .integer(steady), due, .none, .integer(0), .integer(0),
                    .integer(0), .integer(0),
                ])
            )
        )
    }
}
