import BelfryCore
import BelfryRecords
import BelfrySimulation
import Testing

@Suite("Topics and reminders")
struct ReminderTests {
    private func topic(_ key: String = "coupon", opening: Timestamp = .seconds(1000)) -> TopicRecord
    { TopicRecord(topic: key, account: "shop", opening: opening, document: "{}") }

    private func reminder(
        _ recipient: Recipient,
        _ topic: String = "coupon",
        state: ReminderRecord.State = .subscribed,
        revision: Int = 1,
        since: Timestamp = .seconds(1)
    ) -> ReminderRecord {
        ReminderRecord(
            topic: topic,
            recipient: recipient,
            state: state,
            due: .seconds(1000),
            revision: revision,
            since: since
        )
    }

    private func key(_ recipient: Recipient, _ topic: String = "coupon") -> ReminderKey {
        ReminderKey(topic: topic, person: recipient.person)
    }

    @Test("a topic is made, changed as it was read, found and listed page by page")
    func topics() async throws {
        let fixture = try await Fixture()
        let topics = fixture.records.topics
        for name in ["a", "b", "c"] { try await topics.update(name) { _ in topic(name) } }
        try await topics.update("b") { known in
            var known = known ?? topic("b")
            known.revision += 1
            known.state = .closed
            return known
        }
        let changed = try await topics.find("b")
        #expect(changed?.revision == 2 && changed?.moved == 1 && changed?.state == .closed)
        #expect(try await topics.toMove() == ["b"])
        let first = try await topics.list(account: "shop", limit: 2)
        #expect(first.items.map(\.topic) == ["a", "b"])
        let rest = try await topics.list(account: "shop", limit: 2, cursor: first.next)
        #expect(rest.items.map(\.topic) == ["c"] && rest.next == nil)
        #expect(try await topics.list(account: "other").items.isEmpty)
    }

    @Test("who follows a moved topic has not cancelled, nor been reminded, meanwhile")
    func following() async throws {
        let fixture = try await Fixture()
        let reminders = fixture.records.reminders
        try await reminders.save([reminder(.anna), reminder(.bert, state: .cancelled)])
        try await reminders.save(
            [reminder(.anna, revision: 2), reminder(.bert, revision: 2)],
            isFollowing: true
        )
        let found = try await reminders.find([key(.anna), key(.bert)])
        #expect(found[key(.anna)]?.revision == 2)
        #expect(found[key(.bert)]?.state == .cancelled && found[key(.bert)]?.revision == 1)
    }

    @Test("who stands where is written, found by key and by person, and counted")
    func subscriptions() async throws {
        let fixture = try await Fixture()
        let reminders = fixture.records.reminders
        try await reminders.save([
            reminder(.anna), reminder(.bert, state: .cancelled), reminder(.anna, "lesson"),
        ])
        let found = try await reminders.find([key(.anna), key(.bert), key(.bert, "lesson")])
        #expect(found.count == 2 && found[key(.bert)]?.state == .cancelled)
        let asked = try await reminders.find([key(.anna)], subscriptionsOf: [.anna, .bert])
        #expect(asked.own.count == 1)
        #expect(Set(asked.others[.anna]?.map(\.topic) ?? []) == ["coupon", "lesson"])
        #expect(asked.others[.bert] == nil)
        #expect(try await reminders.of(.anna).count == 2)
        let counts = try await reminders.counts(topic: "coupon", revision: 2)
        #expect(counts.states == [.subscribed: 1, .cancelled: 1] && counts.behind == 1)
        let page = try await reminders.list(topic: "coupon", state: .cancelled)
        #expect(page.items.map(\.recipient) == [.bert])
    }

    @Test("a move is done when nobody is behind, and is not when somebody comes in late")
    func moving() async throws {
        let fixture = try await Fixture()
        let (topics, reminders) = (fixture.records.topics, fixture.records.reminders)
        try await topics.update("coupon") { _ in topic() }
        try await reminders.save([reminder(.anna), reminder(.bert)])
        try await topics.update("coupon") { known in
            var known = known ?? topic()
            known.revision = 2
            return known
        }
        let behind = try await reminders.behind("coupon", revision: 2, after: "", limit: 10)
        #expect(behind.map(\.recipient) == [.anna, .bert])
        let rest = try await reminders.behind("coupon", revision: 2, after: "oAnna", limit: 10)
        #expect(rest.map(\.recipient) == [.bert])
        try await reminders.save([reminder(.anna, revision: 2)])
        #expect(try await !topics.finishMove("coupon", to: 2))
        try await reminders.save([reminder(.bert, revision: 2)])
        #expect(try await topics.finishMove("coupon", to: 2))
        #expect(try await topics.toMove() == [])
        // Somebody who had looked at the topic before it moved.
        let late = Recipient(account: "shop", person: "oLate")
        try await reminders.save([reminder(late, revision: 1)])
        #expect(try await topics.toMove() == ["coupon"])
    }

    @Test("an end is noted once, and not on a subscription that is newer than it")
    func ends() async throws {
        let fixture = try await Fixture()
        let reminders = fixture.records.reminders
        func end(_ outcome: Outcome, at time: Int64) async throws -> ReminderRecord? {
            try await fixture.records.ledger.update(
                [],
                reminders: [ReminderEnd(key: key(.anna), outcome: outcome, at: .seconds(time))]
            ) { _ in }
            return try await reminders.find([key(.anna)])[key(.anna)]
        }
        try await reminders.save([reminder(.anna, since: .seconds(10))])
        #expect(try await end(.sent, at: 9)?.state == .subscribed)
        #expect(try await end(.expired, at: 10)?.state == .ended)
        #expect(try await end(.dead, at: 11)?.outcome == .expired)
        #expect(try await end(.sent, at: 12)?.outcome == .sent)
        #expect(try await end(.expired, at: 13)?.state == .sent)
        // Cancelled too late: it was sent all the same.
        try await reminders.save([reminder(.anna, state: .cancelled)])
        #expect(try await end(.dead, at: 14)?.state == .cancelled)
        #expect(try await end(.unknown, at: 15)?.outcome == .unknown)
    }

    @Test("of many ends at once each is its own reminder's, and the first of one reminder counts")
    func manyEnds() async throws {
        let fixture = try await Fixture()
        let reminders = fixture.records.reminders
        let people = (0..<100).map { Recipient(account: "shop", person: "o\($0)") }
        try await reminders.save(people.map { reminder($0) })
        let outcomes: [Outcome] = [.sent, .expired, .unknown, .dead]
        var ends = people.enumerated().map { index, person in
            ReminderEnd(
                key: key(person),
                outcome: outcomes[index % 4],
                at: .seconds(Int64(100 + index))
            )
        }
        ends += people.map { ReminderEnd(key: key($0), outcome: .noGrant, at: .seconds(999)) }
        ends += people.map { ReminderEnd(key: key($0), outcome: .unknown, at: .seconds(999)) }
        try await fixture.records.ledger.update([], reminders: Array(ends.prefix(200))) { _ in }
        let found = try await reminders.find(people.map { key($0) })
        for (index, person) in people.enumerated() {
            let end = try #require(found[key(person)])
            #expect(end.outcome == outcomes[index % 4])
            #expect(end.state == (index.isMultiple(of: 2) ? .sent : .ended))
            #expect(end.updated == .seconds(Int64(100 + index)))
        }
        // Sent after all, while the same batch says again how it ended before.
        try await fixture.records.ledger.update([], reminders: ends.reversed()) { _ in }
        let sent = try await reminders.find(people.map { key($0) })
        #expect(sent.values.allSatisfy { $0.state == .sent })
    }

    @Test("erasing a person and the retention of old topics take reminders with them")
    func forgetting() async throws {
        let fixture = try await Fixture()
        let (topics, reminders) = (fixture.records.topics, fixture.records.reminders)
        let now = fixture.clock.now()
        try await topics.update("old") { _ in topic("old", opening: now - .days(100)) }
        try await topics.update("new") { _ in topic("new", opening: now) }
        for name in ["old", "new"] {
            try await reminders.save([reminder(.anna, name), reminder(.bert, name)])
        }
        try await fixture.records.people.erase(.anna)
        #expect(try await reminders.of(.anna).isEmpty)
        // The last reminder first, then its topic.
        try await fixture.records.purge(RetentionRules(), limit: 1)
        #expect(try await topics.find("old") == nil)
        #expect(try await reminders.of(.bert).map(\.topic) == ["new"])
        #expect(try await topics.find("new") != nil)
    }
}
