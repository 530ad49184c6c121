import BelfryCore
import BelfryRecords
import BelfrySimulation
import Testing

@Suite("Erasures", .eachDatabase)
struct ErasureTests {
    private func covers(_ records: Records, _ recipient: Recipient, _ accepted: Timestamp)
        async throws -> Bool
    {
        try await records.erasures.cover([(recipient, accepted)])[0]
    }

    @Test("an erasure covers what was accepted before it, nothing later and nobody else")
    func cover() async throws {
        let fixture = try await Fixture()
        let now = fixture.clock.now()
        let records = fixture.records
        #expect(!records.erasures.mayCover(now))
        #expect(try await covers(records, .anna, now) == false)
        // Of people whom nobody has heard of, too: their pushes have ids of the caller's.
        #expect(try await records.people.erase(.anna) == 0)
        #expect(try await covers(records, .anna, now - .days(300)))
        #expect(try await covers(records, .anna, now))
        #expect(try await covers(records, .anna, now + .milliseconds(1)) == false)
        for other in [
            Recipient.bert, Recipient(account: "sho", person: "poAnna"),
            Recipient(account: "other", person: "oAnna"),
        ] {
            #expect(try await covers(records, other, now) == false)
        }
        fixture.clock.advance(by: .seconds(5))
        try await records.people.erase(.anna)
        #expect(try await covers(records, .anna, now + .seconds(4)))
    }

    @Test("a mark outlives a restart, and holds nothing that the person is known by")
    func mark() async throws {
        let fixture = try await Fixture()
        let now = fixture.clock.now()
        try await fixture.records.people.update(.anna) { $0.nickname = "Anna" }
        try await fixture.records.people.erase(.anna)
        await fixture.records.close()
        let database = try fixture.database()
        let marks = try await database.read { session throws(RecordsError) in
            try session.rows("SELECT mark, at FROM erasures", [])
        }
        #expect(marks.count == 1)
        guard case .blob(let mark) = marks[0].values[0] else {
            Issue.record("\(marks)")
            return
        }
        #expect(mark.count == 32)
        #expect(!String(decoding: mark, as: UTF8.self).contains("nna"))
        await database.close()
        let again = try await fixture.reopen()
        #expect(try await covers(again, .anna, now))
        await again.close()
    }

    @Test("many at once are answered in order")
    func many() async throws {
        let fixture = try await Fixture()
        let now = fixture.clock.now()
        let people = (0..<500).map { Recipient(account: "shop", person: "o\($0)") }
        for person in people where person.person.hasSuffix("3") {
            try await fixture.records.people.erase(person)
        }
        // More than a batch: what a stop has left to record comes at once.
        let asked = (0..<25).flatMap { _ in people }
        #expect(asked.count > TextLimits.batch)
        let answers = try await fixture.records.erasures.cover(asked.map { ($0, now) })
        #expect(answers == asked.map { $0.person.hasSuffix("3") })
    }

    @Test("a mark goes when nothing accepted before it can be pending, and not before")
    func purge() async throws {
        let fixture = try await Fixture()
        let now = fixture.clock.now()
        try await fixture.records.people.erase(.anna)
        fixture.clock.advance(by: PushLimits.horizon + .days(365))
        try await fixture.records.purge(RetentionRules())
        #expect(try await covers(fixture.records, .anna, now))
        fixture.clock.advance(by: .days(2))
        try await fixture.records.purge(RetentionRules())
        #expect(try await covers(fixture.records, .anna, now) == false)
    }
}
