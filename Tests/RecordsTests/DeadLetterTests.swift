import BelfryCore
import BelfryRecords
import BelfrySimulation
import Testing

@Suite("Dead letters", .eachDatabase)
struct DeadLetterTests {
    private let t = Timestamp(milliseconds: 1_700_000_000_000)

    private func letter(
        _ id: PushID,
        code: String,
        at seconds: Int64 = 0,
        recipient: Recipient = .anna
    ) -> DeadLetterRecord {
        DeadLetterRecord(
            push: Push(
                id: id,
                recipient: recipient,
                due: t,
                expires: t + .days(1),
                priority: .high,
                channel: "wechat",
                merge: MergeRule(
                    key: "k",
                    grace: .seconds(1),
                    maxWait: .seconds(2),
                    mode: .collect
                ),
                payload: Array("{\"文\":1}".utf8)
            ),
            sequence: 1,
            attempts: 5,
            at: t + .seconds(seconds),
            cause: SendCause(code: code, message: "m \(id)", remedy: "r")
        )
    }

    @Test("a dead letter holds the whole push, once")
    func whole() async throws {
        let fixture = try await Fixture()
        let dead = fixture.records.deadLetters
        #expect(try await dead.add([letter("p", code: "45015")]) == 1)
        #expect(try await dead.add([letter("p", code: "45015")]) == 0)
        let found = try await dead.list().items
        #expect(found.map(\.push) == [letter("p", code: "45015").push])
        #expect(found.first?.cause == SendCause(code: "45015", message: "m p", remedy: "r"))
        let id = try #require(found.first?.id)
        #expect(try await dead.find(id) == found.first)
        #expect(try await dead.find(id + 1) == nil)
    }

    @Test("they are grouped by cause, the most frequent first, with the newest message")
    func groups() async throws {
        let fixture = try await Fixture()
        let other = Recipient(account: "other", person: "o")
        try await fixture.records.deadLetters.add([
            letter("a", code: "x", at: 1), letter("b", code: "y", at: 2),
            letter("c", code: "y", at: 3), letter("d", code: "x", at: 4, recipient: other),
            letter("e", code: "x", at: 5),
        ])
        let groups = try await fixture.records.deadLetters.groups()
        #expect(groups.map(\.code) == ["x", "y"])
        #expect(groups.map(\.count) == [3, 2])
        #expect(groups[0].oldest == t + .seconds(1) && groups[0].newest == t + .seconds(5))
        #expect(groups[0].cause.message == "m e")
        #expect(try await fixture.records.deadLetters.groups(account: "other").map(\.count) == [1])
        #expect(try await fixture.records.deadLetters.count() == 5)
        #expect(try await fixture.records.deadLetters.count(account: "shop") == 4)
    }

    @Test("of two who retry the same letters, each letter goes to one")
    func mark() async throws {
        let fixture = try await Fixture()
        let dead = fixture.records.deadLetters
        try await dead.add((0..<20).map { letter(PushID("p\($0)"), code: "x") })
        let ids = try await dead.list().items.map(\.id)
        async let first = dead.mark(ids, .retried)
        async let second = dead.mark(ids, .discarded)
        let (a, b) = try await (first, second)
        #expect(a.count + b.count == 20 && Set(a + b) == Set(ids))
        #expect(try await dead.count() == 0)
        try await dead.reopen([ids[0]])
        #expect(try await dead.list().items.map(\.id) == [ids[0]])
        #expect(try await dead.find(ids[0])?.ended == nil)
    }

    @Test("lists narrow by cause and page without repeating")
    func pages() async throws {
        let fixture = try await Fixture()
        try await fixture.records.deadLetters.add(
            (0..<30).map { letter(PushID("p\($0)"), code: $0 % 2 == 0 ? "even" : "odd") }
        )
        var seen: [String] = []
        var cursor: String?
        repeat {
            let page = try await fixture.records.deadLetters.list(
                account: "shop",
                code: "even",
                limit: 4,
                cursor: cursor
            )
            seen += page.items.map(\.push.id.text)
            cursor = page.next
        } while cursor != nil
        #expect(seen == (0..<15).reversed().map { "p\($0 * 2)" })
    }

    @Test("a push beyond its limits is refused")
    func limits() async throws {
        let fixture = try await Fixture()
        let long = letter(PushID(String(repeating: "p", count: 10_000)), code: "x")
        let error = await failure { try await fixture.records.deadLetters.add([long]) }
        #expect(error?.code == .invalid)
    }
}
