import BelfryCore
import BelfryRecords
import BelfrySimulation
import Testing

@Suite("Retention", .eachDatabase)
struct RetentionTests {
    private let t = Timestamp(milliseconds: 1_700_000_000_000)

    private func line(_ n: Int, at time: Timestamp) -> DeliveryRecord {
        DeliveryRecord(
            push: PushID("p\(n)"),
            sequence: 1,
            recipient: .anna,
            channel: "wechat",
            due: time,
            at: time,
            state: .ended(.sent)
        )
    }

    @Test("a purge takes at most its limit, the oldest first, and nothing that is newer")
    func bounded() async throws {
        let fixture = try await Fixture()
        let records = fixture.records
        try await records.deliveries.append((0..<100).map { line($0, at: t + .seconds(Int64($0))) })
        let before = t + .seconds(60)
        #expect(try await records.purge(.deliveries, before: before, limit: 25) == 25)
        let left = try await records.deliveries.timeline(.anna, limit: 1000).items
        #expect(left.map(\.push.text) == (25..<100).reversed().map { "p\($0)" })
        #expect(try await records.purge(.deliveries, before: before, limit: 25) == 25)
        #expect(try await records.purge(.deliveries, before: before, limit: 25) == 10)
        #expect(try await records.purge(.deliveries, before: before, limit: 25) == 0)
        #expect(try await records.deliveries.timeline(.anna).items.count == 40)
    }

    @Test("a callback is forgotten by when it arrived, not by what it says of its time")
    func inbound() async throws {
        let fixture = try await Fixture()
        let now = fixture.clock.now()
        let old = InboundRecord(
            key: "k",
            recipient: .anna,
            at: now - .days(30),
            change: .wrote
        )
        func isNew() async throws -> Bool {
            let result = try await fixture.records.intake.accept([old]) { _, _, _ in }
            if case .accepted = result[0] { return true }
            return false
        }
        #expect(try await isNew())
        #expect(try await fixture.records.purge(.inbound, before: now - .days(2)) == 0)
        #expect(try await isNew() == false)
        fixture.clock.advance(by: .days(3))
        #expect(
            try await fixture.records.purge(.inbound, before: fixture.clock.now() - .days(2)) == 1
        )
        #expect(try await isNew())
    }

    @Test("open dead letters stay however old; ended ones go by their end")
    func deadLetters() async throws {
        let fixture = try await Fixture()
        let dead = fixture.records.deadLetters
        try await dead.add(
            (0..<3).map { n in
                DeadLetterRecord(
                    push: Push(
                        id: PushID("p\(n)"),
                        recipient: .anna,
                        due: t,
                        channel: "log",
                        payload: []
                    ),
                    sequence: 1,
                    attempts: 1,
                    at: t - .days(300),
                    cause: SendCause(code: "c", message: "")
                )
            }
        )
        let ids = try await dead.list().items.map(\.id)
        _ = try await dead.mark([ids[0]], .discarded)
        let now = fixture.clock.now()
        #expect(try await fixture.records.purge(.deadLetters, before: now) == 0)
        #expect(try await fixture.records.purge(.deadLetters, before: now + .seconds(1)) == 1)
        #expect(try await dead.count() == 2)
    }

    @Test("minute counters go, hour counters stay")
    func counters() async throws {
        let fixture = try await Fixture()
        try await fixture.records.deliveries.append([line(1, at: t)])
        let before = t + .hours(2)
        #expect(try await fixture.records.purge(.minuteCounters, before: before) == 2)
        let counters = fixture.records.counters
        let range = (t - .hours(1), t + .hours(1))
        let minutes = try await counters.stats(from: range.0, to: range.1, bucket: .minute)
        #expect(minutes.isEmpty)
        let hours = try await counters.stats(from: range.0, to: range.1, bucket: .hour)
        #expect(hours.map(\.sent) == [1])
    }

    @Test("a setting keeps its newest version however old")
    func settings() async throws {
        let fixture = try await Fixture()
        for n in 0..<5 { try await fixture.records.settings.set("s", to: "\(n)", by: "x") }
        try await fixture.records.settings.set("t", to: "1", by: "x")
        let later = fixture.clock.now() + .days(1)
        #expect(try await fixture.records.purge(.settings, before: later, limit: 3) == 3)
        #expect(try await fixture.records.purge(.settings, before: later, limit: 3) == 1)
        #expect(try await fixture.records.settings.all().map(\.value) == ["4", "1"])
    }

    @Test("people who unsubscribed long ago go with all that names them; followers stay")
    func unsubscribed() async throws {
        let fixture = try await Fixture()
        let now = fixture.clock.now()
        for (person, change) in [(Recipient.anna, PersonChange.unsubscribed), (.bert, .wrote)] {
            try await fixture.records.people.update(person) { _ = $0.apply(change, at: now) }
        }
        try await fixture.records.deliveries.append([line(1, at: now)])
        fixture.clock.advance(by: .days(31))
        #expect(try await fixture.records.purge(RetentionRules()) == false)
        #expect(try await fixture.records.people.find(.anna) == nil)
        #expect(try await fixture.records.deliveries.timeline(.anna).items.isEmpty)
        #expect(try await fixture.records.people.find(.bert) != nil)
    }

    @Test("every area can be purged, and a purge by the rules says when there may be more")
    func everyArea() async throws {
        let fixture = try await Fixture()
        for area in RetainedArea.allCases {
            #expect(try await fixture.records.purge(area, before: t) == 0, "\(area)")
        }
        let old = fixture.clock.now() - .days(100)
        try await fixture.records.deliveries.append((0..<7).map { line($0, at: old) })
        let rules = RetentionRules(life: [.deliveries: .days(90)])
        #expect(try await fixture.records.purge(rules, limit: 5))
        #expect(try await fixture.records.purge(rules, limit: 5) == false)
        #expect(try await fixture.records.deliveries.timeline(.anna).items.isEmpty)
    }

    @Test("purges are served by indexes: none reads a table from end to end")
    func indexed() async throws {
        let fixture = try await Fixture()
        // Of PostgreSQL's plans, statistics of real tables decide.
        guard !fixture.isPostgres else { return }
        await fixture.records.close()
        let database = try SQLiteDatabase(path: fixture.path)
        for (table, filter) in [
            ("inbound", "at < 1"), ("deliveries", "at < 1"), ("reservations", "made < 1"),
            ("links", "created < 1"), ("media", "created < 1"), ("audit", "at < 1"),
            ("idempotency", "begun < 1"), ("dead_letters", "ended < 1"),
            ("erasures", "at < 1"),
            ("counters", "span = 1 AND start < 1"),
            ("people", "subscribed = 0 AND unsubscribed_at < 1"),
        ] {
            let plan = try await database.read { session throws(RecordsError) in
                try session.rows("EXPLAIN QUERY PLAN SELECT 1 FROM \(table) WHERE \(filter)", [])
            }
            #expect("\(plan)".contains("SEARCH"), "\(table)")
        }
        await database.close()
    }
}
