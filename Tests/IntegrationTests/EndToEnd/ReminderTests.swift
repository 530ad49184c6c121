import BelfryActivation
import BelfryCore
import BelfryRecords
import BelfryServer
import BelfrySimulation
import BelfryTestSupport
import BelfryWeChatSimulator
import Logging
import Testing

/// Reminders end to end on virtual time, judged by what the channel received.
@Suite("Reminders")
struct ReminderTests {
    /// Several of the mover's steps.
    private static let people = (0..<1800).map { "p\($0)" }
    private static let near = ReminderMerge(
        mode: .collect,
        grace: .seconds(60),
        maxWait: .seconds(90)
    )

    private func with(_ body: (World, BelfryNode) async throws -> Void) async throws {
        try await World.with(account: Self.unlimited) { world in
            try await world.run { try await body(world, $0) }
        }
    }

    /// Without a rate of its own, so that nobody is late for that.
    private static let unlimited: @Sendable (inout AccountRecord) -> Void = { $0.rate = nil }

    /// Who was told, and when; nobody twice.
    private func told(_ world: World, of topic: String) throws -> [String: Int64] {
        var told: [String: Int64] = [:]
        for line in try world.logged() where line.topics.contains(topic) {
            #expect(told.updateValue(line.at, forKey: line.person) == nil, "\(line) is doubled")
        }
        return told
    }

    /// How many were told how many milliseconds late.
    private func spread(_ told: [String: Int64], _ due: Timestamp) -> [Int64: Int] {
        told.values.reduce(into: [:]) { $0[$1 - due.milliseconds, default: 0] += 1 }
    }

    @Test(
        "thousands subscribe, some cancel and some come back, the topic moves back and forth: everybody who stays is told once, at the last time"
    )
    func burst() async throws {
        try await with { world, node in
            let people = Self.people
            try await node.reminders.set(world.topic("coupon", opening: world.ten))
            try await world.take(.subscribe, people, of: "coupon", node)
            let leaving = people.enumerated().filter { $0.0 % 3 == 0 }.map(\.1)
            let returning = people.enumerated().filter { $0.0 % 9 == 0 }.map(\.1)
            let left = try await world.take(.cancel, leaving, of: "coupon", node)
            #expect(left.values.allSatisfy { $0 == .cancelled })
            try await world.take(.subscribe, returning, of: "coupon", node)
            // Moves while people come and go.
            let five = world.ten + .minutes(5)
            let late = (0..<1000).map { "late\($0)" }
            async let coming: Void = {
                for part in 0..<10 {
                    let some = late[(part * 100)..<(part * 100 + 100)]
                    try await world.take(.subscribe, some, of: "coupon", node)
                    try await world.take(.cancel, some.prefix(10), of: "coupon", node)
                }
            }()
            for time in [five, world.ten - .minutes(5), five] {
                try await node.reminders.set(world.topic("coupon", opening: time))
            }
            try await coming
            try await world.moved("coupon", node)
            try await world.pass(node)
            let staying = Set(people).subtracting(leaving).union(returning).union(
                late.enumerated().filter { $0.0 % 100 >= 10 }.map(\.1)
            )
            let told = try told(world, of: "coupon")
            #expect(Set(told.keys) == staying)
            #expect(
                spread(told, five).keys.allSatisfy { (0..<1000).contains($0) },
                "\(spread(told, five))"
            )
            let counts = try await node.records.reminders.counts(topic: "coupon", revision: 9)
            #expect(counts.states[.sent] == staying.count && counts.states[.subscribed] == nil)
            let again = try await world.take(.cancel, ["p1"], of: "coupon", node)
            #expect(again["p1"] == .alreadySent)
        }
    }

    @Test(
        "a move that is cut off half way goes on at the next start, and nobody is early, late or lost"
    )
    func killedMove() async throws {
        for (by, ahead) in [(Duration.minutes(5), true), (.minutes(-5), false)] {
            try await World.with(account: Self.unlimited) { world in
                let people = Self.people
                try await world.run { node in
                    try await node.reminders.set(world.topic("coupon", opening: world.ten))
                    try await world.take(.subscribe, people, of: "coupon", node)
                }
                // Nothing runs but what is called here; then the process is gone.
                let moved = world.ten + by
                let cut = try await BelfryNode.open(
                    world.configuration,
                    clock: world.clock,
                    logger: .init(label: "test"),
                    seed: 2
                )
                try await cut.reminders.set(world.topic("coupon", opening: moved))
                let step = try await cut.reminders.move("coupon", after: "")
                #expect(step.next != nil)
                let half = try await cut.records.reminders.counts(topic: "coupon", revision: 2)
                #expect(half.behind > 0 && half.behind < people.count)
                await cut.close()
                try await world.run { node in
                    // Ahead of time nothing waits for the mover; behind it the gate holds what it has not reached.
                    if !ahead { try await world.moved("coupon", node) }
                    try await world.pass(node)
                    try await world.moved("coupon", node, passing: .seconds(1))
                    try await world.pass(node)
                }
                let told = try told(world, of: "coupon")
                #expect(Set(told.keys) == Set(people))
                // What the mover touches while it is being sent is looked at again a second later.
                #expect(
                    spread(told, moved).keys.allSatisfy { (0..<2000).contains($0) },
                    "\(by): \(spread(told, moved))"
                )
            }
        }
    }

    @Test("what was handed over before a move is not brought back by it")
    func notResurrected() async throws {
        try await with { world, node in
            try await node.reminders.set(world.topic("coupon", opening: world.ten))
            try await world.take(.subscribe, ["a", "b"], of: "coupon", node)
            try await world.pass(node)
            #expect(try told(world, of: "coupon").count == 2)
            try await node.reminders.set(
                world.topic("coupon", opening: world.ten + .minutes(30))
            )
            try await world.moved("coupon", node)
            try await world.pass(node)
            #expect(try world.logged().count == 2)
            // Who asks anew is told of the new time.
            #expect(try await world.take(.subscribe, ["a"], of: "coupon", node)["a"] == .subscribed)
            try await world.pass(node)
            #expect(try world.logged().map(\.person).sorted() == ["a", "a", "b"])
        }
    }

    @Test("two near topics are one message that shows both, whatever the order of subscribing")
    func merging() async throws {
        try await with { world, node in
            let (ten, merge) = (world.ten, Self.near)
            for (key, seconds) in [("a", 0), ("b", 45), ("far", 600)] {
                let opening = ten + .seconds(seconds)
                try await node.reminders.set(world.topic(key, opening: opening, merge: merge))
            }
            for (person, topics) in [
                ("one", ["a", "b", "far"]), ("two", ["far", "b", "a"]), ("three", ["a"]),
                ("four", ["a", "b"]),
            ] {
                for topic in topics { try await world.take(.subscribe, [person], of: topic, node) }
            }
            // The one that would carry both is taken back: the other one is told all the same.
            try await world.take(.cancel, ["four"], of: "b", node)
            try await world.pass(node)
            let lines = try world.logged()
            func seen(_ person: String) -> [[String]] {
                lines.filter { $0.person == person }.map(\.topics)
            }
            #expect(seen("one") == [["a", "b"], ["far"]] && seen("two") == seen("one"))
            #expect(seen("three") == [["a"]] && seen("four") == [["a"]])
            for line in lines {
                let due = ["a": 0, "b": 45, "far": 600][line.topics.last ?? ""] ?? 0
                #expect(line.at == (ten + .seconds(Int64(due))).milliseconds, "\(line)")
            }
            let ends = try await node.records.deliveries.timeline(world.recipient("one")).items
                .filter { if case .ended = $0.state { true } else { false } }
            #expect(
                Set(ends.map { "\($0.push) \($0.state)" }) == [
                    "reminder/a/one merged", "reminder/b/one sent", "reminder/far/one sent",
                ]
            )
            #expect(try await node.timeline.counts().scheduled == 0)
        }
    }

    @Test("newest tells of the last one alone, and the others end as merged")
    func newest() async throws {
        try await with { world, node in
            let rule = ReminderMerge(mode: .newest, grace: .seconds(60))
            for (key, seconds) in [("a", 0), ("b", 45)] {
                let opening = world.ten + .seconds(Int64(seconds))
                try await node.reminders.set(world.topic(key, opening: opening, merge: rule))
                try await world.take(.subscribe, ["p"], of: key, node)
            }
            try await world.pass(node)
            #expect(try world.logged().map(\.topics) == [["b"]])
            let a = ReminderKey(topic: "a", person: "p")
            #expect(try await node.records.reminders.find([a])[a]?.state == .sent)
        }
    }

    @Test("what could not go before it expired ends as expired and is told as such")
    func expiry() async throws {
        try await with { world, node in
            try await node.records.accounts.pause(World.account, reason: "test")
            try await node.accounts.reload(World.account)
            for key in ["coupon", "open-end"] {
                try await node.reminders.set(
                    world.topic(
                        key,
                        opening: world.ten,
                        expiresAfter: key == "coupon" ? .minutes(10) : nil
                    )
                )
                try await world.take(.subscribe, ["p"], of: key, node)
            }
            world.clock.pass(to: world.ten + .minutes(20))
            try await node.records.accounts.pause(World.account, reason: nil)
            try await node.accounts.reload(World.account)
            try await world.pass(node)
            #expect(try world.logged().map(\.topics) == [["open-end"]])
            let key = ReminderKey(topic: "coupon", person: "p")
            let record = try #require(try await node.records.reminders.find([key])[key])
            #expect(record.state == .ended && record.outcome == .expired)
        }
    }

    @Test("closing a topic cancels everybody, and nobody is reminded from that moment on")
    func closing() async throws {
        try await with { world, node in
            try await node.reminders.set(world.topic("coupon", opening: world.ten))
            try await world.take(.subscribe, Self.people, of: "coupon", node)
            try await node.reminders.close("coupon")
            world.clock.pass(to: world.ten)
            try await world.moved("coupon", node)
            try await world.pass(node)
            #expect(try world.logged().isEmpty)
            let counts = try await node.records.reminders.counts(topic: "coupon", revision: 2)
            #expect(counts.states == [.cancelled: Self.people.count])
            let lines = try await world.history(node, "p7")
            #expect(lines.last?.state == .ended(.cancelled))
            #expect(lines.last?.cause.code == "topic_closed")
            let late = try await world.take(.subscribe, ["p7"], of: "coupon", node)
            #expect(late["p7"] == .tooLate)
        }
    }

    @Test(
        "what is on its way cannot be cancelled with a promise, does not move, and is told once",
        arguments: [false, true]
    )
    func inFlight(moves: Bool) async throws {
        try await with { world, node in
            let opening = world.clock.now() + .seconds(3)
            var topic = world.topic("coupon", opening: opening, channel: "wechat")
            topic.message = "coupon"
            try await node.reminders.set(topic)
            let person = try await world.follower()
            try await world.take(.subscribe, [person], of: "coupon", node)
            world.simulator.add(FaultRule(Fault(.slow(.milliseconds(700))), path: World.sendPath))
            world.clock.pass(to: opening)
            try await eventually("the send is in flight") { world.simulator.faults.isEmpty }
            if moves {
                topic.opening = opening + .seconds(30)
                try await node.reminders.set(topic)
            } else {
                let answers = try await world.take(.cancel, [person], of: "coupon", node)
                #expect(answers[person] == .inFlight)
            }
            try await world.pass(node)
            try await world.moved("coupon", node, passing: .seconds(1))
            try await world.pass(node)
            #expect(world.seen(person).map(\.text).count { $0 == "coupon" } == 1)
            let key = ReminderKey(topic: "coupon", person: person)
            #expect(try await node.records.reminders.find([key])[key]?.state == .sent)
            let again = try await world.take(.cancel, [person], of: "coupon", node)
            #expect(again[person] == .alreadySent)
        }
    }

    @Test(
        "a reminder that was given up goes when its dead letter is retried, unless it was cancelled since"
    )
    func deadLetter() async throws {
        try await with { world, node in
            // The account has no webhook.
            let topic = world.topic("coupon", opening: world.ten, channel: "webhook")
            try await node.reminders.set(topic)
            try await world.take(.subscribe, ["stays", "leaves"], of: "coupon", node)
            try await world.pass(node)
            let letters = try await node.records.deadLetters.list().items
            #expect(letters.count == 2)
            let key = ReminderKey(topic: "coupon", person: "stays")
            #expect(try await node.records.reminders.find([key])[key]?.outcome == .dead)
            var mended = topic
            mended.channel = "log"
            mended.message = ["topic": "{{topic}}"]
            try await node.reminders.set(mended)
            let left = try await world.take(.cancel, ["leaves"], of: "coupon", node)
            #expect(left["leaves"] == .notSubscribed)
            try await node.timeline.schedule(letters.map(\.push))
            try await world.pass(node)
            #expect(try world.logged().map(\.person) == ["stays"])
            #expect(try await node.records.reminders.find([key])[key]?.outcome == .sent)
        }
    }

    @Test("an erased person is reminded of nothing, and the history does not say who it was")
    func erased() async throws {
        try await with { world, node in
            try await node.reminders.set(world.topic("coupon", opening: world.ten))
            try await world.take(.subscribe, ["anna", "bert"], of: "coupon", node)
            world.clock.pass(to: world.clock.now() + .seconds(1))
            try await node.records.people.erase(world.recipient("anna"))
            try await world.pass(node)
            #expect(try world.logged().map(\.person) == ["bert"])
            #expect(try await world.history(node, "anna").isEmpty)
            var query = DeliveryQuery()
            query.push = "reminder/coupon/erased"
            #expect(try await node.records.deliveries.find(query).items.count == 1)
        }
    }

    @Test("on WeChat permission is asked as for any other message, and the texts are one")
    func wechat() async throws {
        try await with { world, node in
            let opening = world.clock.now() + .seconds(20)
            for (key, seconds) in [("a", Int64(0)), ("b", 10)] {
                var topic = world.topic(
                    key,
                    opening: opening + .seconds(seconds),
                    merge: Self.near,
                    channel: "wechat"
                )
                topic.message = .string("\(key) opens")
                try await node.reminders.set(topic)
            }
            let person = try await world.follower()
            for key in ["a", "b"] {
                try await world.take(.subscribe, [person, "stranger"], of: key, node)
            }
            try await world.pass(node)
            #expect(world.seen(person).map(\.text).contains("a opens\nb opens"))
            let key = ReminderKey(topic: "b", person: "stranger")
            let record = try #require(try await node.records.reminders.find([key])[key])
            #expect(record.outcome == .noGrant)
        }
    }
}
