import BelfryCore
import BelfryRecords
import Testing

@Suite("Intake of callbacks", .eachDatabase)
struct IntakeTests {
    private let t = Timestamp(milliseconds: 1_700_000_000_000)

    private func follow(
        _ recipient: Recipient,
        at time: Timestamp,
        key: String? = nil,
        answer: String = "ok"
    ) -> InboundRecord {
        InboundRecord(
            key: key ?? "app|\(recipient.person)|\(time.milliseconds)|subscribe",
            recipient: recipient,
            at: time,
            change: .followed(scene: "s"),
            answer: Array(answer.utf8)
        )
    }

    private func accept(_ records: Records, _ batch: [InboundRecord]) async throws
        -> [IntakeResult]
    {
        try await records.intake.accept(batch) { record, person, counted in
            guard counted, case .followed = record.change else { return }
            person.grants.append(.follow(at: record.at))
        }
    }

    @Test("what was accepted before is known before anything is scheduled, by key and time")
    func seen() async throws {
        let fixture = try await Fixture()
        let known = follow(.anna, at: t)
        _ = try await accept(fixture.records, [known])
        let answers = try await fixture.records.intake.seen([
            ("other", t), (known.key, t), (known.key, t + .seconds(1)),
        ])
        #expect(answers == [false, true, false])
        #expect(try await fixture.records.intake.seen([]).isEmpty)
    }

    @Test("a callback counts once: repetitions get the stored answer and change nothing")
    func repeated() async throws {
        let fixture = try await Fixture()
        let first = try await accept(fixture.records, [follow(.anna, at: t)])
        guard case .accepted(let change) = first[0] else {
            Issue.record("\(first)")
            return
        }
        #expect(change.before == nil && change.counted)
        #expect(change.after.grants == [.follow(at: t)])
        await fixture.records.close()
        // Also after a restart, and with another answer in hand.
        let again = try await fixture.reopen()
        let second = try await accept(again, [follow(.anna, at: t, answer: "new")])
        #expect(second == [.duplicate(answer: Array("ok".utf8))])
        #expect(try await again.people.find(.anna)?.grants.count == 1)
        await again.close()
    }

    @Test("a repetition within one batch counts once too")
    func sameBatch() async throws {
        let fixture = try await Fixture()
        let results = try await accept(
            fixture.records,
            [follow(.anna, at: t), follow(.anna, at: t), follow(.bert, at: t)]
        )
        #expect(results[1] == .duplicate(answer: Array("ok".utf8)))
        #expect(try await fixture.records.people.find(.anna)?.grants.count == 1)
        #expect(try await fixture.records.people.find(.bert)?.grants.count == 1)
    }

    @Test("several events of one person in one batch build on each other, in order")
    func severalOfOne() async throws {
        let fixture = try await Fixture()
        let batch = [
            follow(.anna, at: t),
            InboundRecord(key: "m1", recipient: .anna, at: t + .seconds(1), change: .wrote),
            InboundRecord(key: "u", recipient: .anna, at: t + .seconds(2), change: .unsubscribed),
            follow(.anna, at: t + .seconds(1), key: "late"),
        ]
        let results = try await accept(fixture.records, batch)
        guard case .accepted(let late) = results[3] else {
            Issue.record("\(results[3])")
            return
        }
        #expect(!late.counted && late.before?.subscribed == false)
        let person = try await fixture.records.people.find(.anna)
        #expect(person?.subscribed == false)
        #expect(person?.lastMessageAt == t + .seconds(1))
        #expect(person?.grants == [.follow(at: t)])
    }

    @Test("what breaks a limit is refused alone; the rest of its batch is accepted")
    func refused() async throws {
        let fixture = try await Fixture()
        let long = String(repeating: "k", count: 10_000)
        let results = try await accept(
            fixture.records,
            [
                follow(.anna, at: t, key: long), follow(.bert, at: t),
                follow(Recipient(account: "shop", person: long), at: t, key: "k"),
            ]
        )
        guard case .refused(let key) = results[0], case .accepted = results[1],
            case .refused(let person) = results[2]
        else {
            Issue.record("\(results)")
            return
        }
        #expect(key.message == "key: is 10000 bytes; 1 to 512 are allowed")
        #expect(person.message == "person: is 10000 bytes; 1 to 128 are allowed")
        #expect(try await fixture.records.people.find(.anna) == nil)
    }

    @Test("an overlong scene is cut: a follow is not lost for it")
    func longScene() async throws {
        let fixture = try await Fixture()
        var record = follow(.anna, at: t)
        record.change = .followed(scene: String(repeating: "景", count: 5000))
        _ = try await accept(fixture.records, [record])
        let person = try await fixture.records.people.find(.anna)
        #expect(person?.scene == String(repeating: "景", count: 85))
    }

    @Test("an answer decided later is stored for repetitions")
    func remember() async throws {
        let fixture = try await Fixture()
        var record = follow(.anna, at: t)
        record.answer = nil
        _ = try await accept(fixture.records, [record])
        #expect(try await accept(fixture.records, [record]) == [.duplicate(answer: nil)])
        try await fixture.records.intake.remember(answer: [1, 2], key: record.key, at: t)
        #expect(try await accept(fixture.records, [record]) == [.duplicate(answer: [1, 2])])
    }

    @Test("a thousand people in one call are one transaction, and all there")
    func large() async throws {
        let fixture = try await Fixture()
        let people = (0..<1000).map { Recipient(account: "shop", person: "o\($0)") }
        let before = fixture.records.commits
        let results = try await accept(fixture.records, people.map { follow($0, at: t) })
        #expect(fixture.records.commits - before == 1)
        #expect(results.count == 1000)
        #expect(try await fixture.records.people.find(people).count == 1000)
        #expect(try await fixture.records.people.subscribed(account: "shop") == 1000)
    }
}
