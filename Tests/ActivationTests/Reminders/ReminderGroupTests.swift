import BelfryActivation
import BelfryCore
import Testing

/// A topic of the account `shop` that opens so many seconds after ``friday``.
func topic(
    _ key: String,
    in seconds: Int64 = 0,
    lead: Duration = .zero,
    channel: String = "log",
    merge: ReminderMerge? = ReminderMerge(
        mode: .collect,
        grace: .seconds(60),
        maxWait: .seconds(90)
    )
) -> ReminderTopic {
    ReminderTopic(
        key: key,
        account: "shop",
        opening: friday + .seconds(seconds),
        lead: lead,
        channel: channel,
        merge: merge
    )
}

@Suite("Reminders that are near each other")
struct ReminderGroupTests {
    private func keys(_ topic: ReminderTopic, _ others: ReminderTopic...) -> [String] {
        ReminderGroup(of: topic, among: others).members.map(\.key)
    }

    @Test("one alone goes at its own time, whatever it could merge with")
    func alone() {
        let group = ReminderGroup(of: topic("a"), among: [])
        #expect(group.members.map(\.key) == ["a"] && group.due == friday)
    }

    @Test("those within the grace of the one before go together when the last is due")
    func chain() {
        let (a, b, c) = (topic("a"), topic("b", in: 60), topic("c", in: 90))
        for (one, others) in [(a, [b, c]), (b, [c, a]), (c, [a, b])] {
            let group = ReminderGroup(of: one, among: others)
            #expect(group.members.map(\.key) == ["a", "b", "c"])
            #expect(group.due == c.due && group.newest == c)
        }
    }

    @Test("nobody joins who is due later than the first may wait: the next group begins there")
    func maxWait() {
        let (a, b, c) = (topic("a"), topic("b", in: 50), topic("c", in: 100))
        #expect(keys(a, b, c) == ["a", "b"])
        #expect(keys(b, a, c) == ["a", "b"])
        #expect(keys(c, a, b) == ["c"])
        let d = topic("d", in: 110)
        #expect(keys(d, a, b, c) == ["c", "d"])
    }

    @Test("those farther apart than the grace, of other channels, accounts and rules stay apart")
    func apart() {
        let a = topic("a")
        var foreign = topic("b", in: 1)
        foreign.account = "other"
        #expect(keys(a, foreign) == ["a"])
        #expect(keys(a, topic("b", in: 61)) == ["a"])
        #expect(keys(a, topic("b", in: 1, channel: "null")) == ["a"])
        #expect(keys(a, topic("b", in: 1, merge: nil)) == ["a"])
        let newest = ReminderMerge(mode: .newest, grace: .seconds(60), maxWait: .seconds(90))
        #expect(keys(a, topic("b", in: 1, merge: newest)) == ["a"])
        #expect(keys(topic("b", merge: nil), a) == ["b"])
    }

    @Test("of equal times the order is by key, so that everybody agrees who carries")
    func equal() {
        let (a, b) = (topic("a"), topic("b"))
        #expect(ReminderGroup(of: a, among: [b]).newest == b)
        #expect(ReminderGroup(of: b, among: [a]).newest == b)
    }

    @Test(
        "whatever a person waits for falls into groups that all their members agree on",
        arguments: 1...20
    )
    func partition(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let topics = (0..<30).map {
            topic("t\($0)", in: Int64.random(in: 0...1200, using: &random))
        }
        for one in topics {
            let group = ReminderGroup(of: one, among: topics.shuffled(using: &random))
            #expect(group.members.contains(one))
            for member in group.members {
                #expect(ReminderGroup(of: member, among: topics) == group)
            }
            let first = try #require(group.members.first)
            #expect(group.due <= first.due + .seconds(90))
            for (earlier, later) in zip(group.members, group.members.dropFirst()) {
                #expect(earlier.due <= later.due && later.due <= earlier.due + .seconds(60))
            }
        }
    }

    // MARK: Verdicts

    private func verdict(
        _ one: ReminderTopic,
        _ standing: ReminderStanding = .subscribed,
        others: [ReminderTopic] = [],
        at now: Timestamp = friday,
        planned: Timestamp? = nil
    ) -> ReminderVerdict {
        one.verdict(standing: standing, due: planned ?? one.due, others: others, now: now)
    }

    @Test("who has left is not reminded, and who was reminded is not reminded twice")
    func standing() {
        guard case .end(.cancelled, "not_subscribed", _) = verdict(topic("a"), .out),
            case .end(.merged, "merged", _) = verdict(topic("a"), .sent)
        else {
            Issue.record("neither is sent")
            return
        }
    }

    @Test("what was planned before the topic moved to a later time waits for the new one")
    func moved() {
        let later = topic("a", in: 300)
        guard case .hold(later.due, _) = verdict(later, planned: friday) else {
            Issue.record("it is not sent early")
            return
        }
        #expect(verdict(later, at: later.due, planned: friday) == .send([later]))
        // Planned for this very time by a clock that is a little ahead of ours.
        #expect(verdict(later, at: later.due - .milliseconds(3)) == .send([later]))
    }

    @Test("the last one carries the others, which wait a moment for it and then carry themselves")
    func carrying() {
        let (a, b) = (topic("a"), topic("b", in: 30))
        guard case .hold(let until, _) = verdict(a, others: [b]) else {
            Issue.record("the first waits")
            return
        }
        #expect(until == b.due + .seconds(1))
        #expect(verdict(b, others: [a], at: b.due) == .send([a, b]))
        #expect(verdict(a, others: [b], at: until) == .send([a, b]))
        #expect(verdict(a, at: until) == .send([a]))
    }

    @Test("a topic that is over is not told, not along with another either")
    func expired() {
        var a = topic("a")
        a.expiresAfter = .seconds(100)
        let b = topic("b", in: 60)
        guard case .end(.expired, _, _) = verdict(a, at: friday + .seconds(100)) else {
            Issue.record("it is over")
            return
        }
        #expect(verdict(b, others: [a], at: friday + .seconds(99)) == .send([a, b]))
        #expect(verdict(b, others: [a], at: friday + .seconds(100)) == .send([b]))
    }
}
