import BelfryCore
import BelfrySimulation
import Logging
import Synchronization
import Testing

@testable import BelfryDelivery

@Suite("What a channel answers")
struct RetryTests {
    private static let cause = SendCause(code: "http_500", message: "no", remedy: "Ask them.")

    @Test(
        "back-off stays within its bounds, doubles its bound, and heeds the other side",
        arguments: 1...20
    )
    func backoff(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var policy = RetryPolicy()
        policy.base = .milliseconds(Int64.random(in: 1...10_000, using: &random))
        policy.longest = .milliseconds(Int64.random(in: 1...10_000_000, using: &random))
        policy.shortest = .milliseconds(Int64.random(in: 0...1_000, using: &random))
        for attempt in [0, 1, 2, 5, 20, 63, 1_000_000] {
            for _ in 0..<50 {
                let delay = policy.delay(after: attempt, asked: nil, using: &random)
                let bound = policy.base.milliseconds << Int64(min(attempt, 20))
                #expect(delay >= max(policy.shortest, .milliseconds(1)))
                let half = min(policy.longest.milliseconds, bound) / 2
                #expect(delay.milliseconds >= half, "a short outage uses no attempts up")
                #expect(
                    delay
                        <= max(
                            policy.shortest,
                            .milliseconds(1),
                            min(policy.longest, .milliseconds(bound))
                        )
                )
                let asked = Duration.milliseconds(Int64.random(in: 1...1_000_000, using: &random))
                let heeded = policy.delay(after: attempt, asked: asked, using: &random)
                #expect(heeded >= asked)
            }
        }
    }

    @Test(
        "a message that is never accepted is tried the set number of times, then is a dead letter"
    )
    func deadLetter() throws {
        let scene = Scene { _, _ in .retry(after: nil, cause: Self.cause) }
        scene.run()
        scene.schedule([scene.push("one")])
        scene.world.run(for: .hours(4))
        #expect(scene.channel.deliveries.map(\.message.attempt) == Array(0..<8))
        #expect(scene.timeline.settlements.last?.result == .dead)
        let event = try #require(scene.recorder.events.last)
        #expect(event.change == .ended(.dead))
        #expect(event.cause == Self.cause)
        #expect(event.claim.push.payload == Array("one".utf8))
        #expect(event.reservation == .released)
        #expect(scene.recorder.ends["one"] == [.dead])
    }

    @Test("Retry-After is heeded")
    func retryAfter() {
        let scene = Scene { message, _ in
            message.attempt == 0
                ? .retry(after: .seconds(300), cause: Self.cause) : .sent(reference: nil)
        }
        scene.run()
        scene.schedule([scene.push("one")])
        scene.world.run(for: .hours(1))
        let waited = scene.channel.deliveries[1].at - scene.channel.deliveries[0].at
        #expect(waited >= .seconds(300) && waited <= .seconds(330))
    }

    @Test(
        "a retry that would come after the expiry ends the push as expired, with what stood in the way"
    )
    func retryPastExpiry() throws {
        let scene = Scene { _, _ in .retry(after: .seconds(300), cause: Self.cause) }
        scene.run()
        scene.schedule([scene.push("one", expires: .seconds(200))])
        scene.world.run(for: .seconds(1))
        let event = try #require(scene.recorder.events.last)
        #expect(event.change == .ended(.expired))
        #expect(event.cause == Self.cause)
    }

    @Test("a refusal ends the push with its own outcome, and the sequel decides what follows")
    func refused() {
        let sequel = ScriptedSequel { claim, outcome, time in
            guard outcome == .window45015 else { return [] }
            var next = claim.push
            next.id = "template"
            next.due = time + .seconds(1)
            return [next]
        }
        let scene = Scene(sequel: sequel) { message, _ in
            message.id == "template"
                ? .sent(reference: "7") : .refused(.window45015, cause: Self.cause)
        }
        scene.run()
        scene.schedule([scene.push("one")])
        scene.world.run(for: .minutes(1))
        #expect(scene.recorder.ends == ["one": [.window45015], "template": [.sent]])
        #expect(scene.recorder.events.last?.reference == "7")
        #expect(scene.timeline.settlements.first?.successors.map(\.id) == ["template"])
    }

    @Test("a refusal that is not the end is recorded, then the gates are asked again")
    func otherWay() {
        struct Turning: Sequel {
            func successors(of claim: Claim, outcome: Outcome, at time: Timestamp) -> [Push] { [] }
            func hasOtherWay(_ claim: Claim, after refusal: Outcome) -> Bool {
                refusal == .window45015
            }
        }
        let scene = Scene(sequel: Turning()) { message, _ in
            message.id == "closed" || message.attempt == 0
                ? .refused(message.id == "gone" ? .dead : .window45015, cause: Self.cause)
                : .sent(reference: "7")
        }
        scene.run()
        scene.schedule([scene.push("one"), scene.push("gone"), scene.push("closed")])
        scene.world.run(for: .hours(1))
        #expect(
            scene.recorder.ends == ["one": [.sent], "gone": [.dead], "closed": [.window45015]]
        )
        let turned = scene.recorder.events.filter { $0.claim.push.id == "one" }
        #expect(turned.map(\.refusal) == [.window45015, nil])
        #expect(turned.map(\.reservation) == [.released, .used])
        let tries = scene.channel.ids.filter { $0 == "closed" }
        #expect(tries.count == RetryPolicy().attempts)
    }

    @Test("an answer that never came counts as sent, or is tried once more, as the account says")
    func unknown() {
        let scene = Scene { _, _ in .unknown(cause: Self.cause) }
        scene.limits["twice"] = AccountLimit(unknown: .retryOnce)
        scene.run()
        scene.schedule([scene.push("o", account: "once"), scene.push("t", account: "twice")])
        scene.world.run(for: .hours(1))
        #expect(scene.channel.ids.filter { $0 == "o" }.count == 1)
        #expect(scene.channel.ids.filter { $0 == "t" }.count == 2)
        #expect(scene.recorder.ends == ["o": [.unknown], "t": [.unknown]])
        let used = scene.recorder.events.filter { $0.change == .ended(.unknown) }.map(\.reservation)
        #expect(used == [.used, .used])
    }

    @Test("an answer that never came is asked for again where a repetition is known to be one")
    func repeatable() {
        let scene = Scene { message, _ in
            message.id == "lost" || message.attempt < 2
                ? .repeatable(within: .minutes(9), cause: Self.cause) : .sent(reference: "7")
        }
        scene.limits["a"] = AccountLimit(unknown: .assumeSent)
        scene.run()
        scene.schedule([scene.push("found", account: "a"), scene.push("lost", account: "a")])
        scene.world.run(for: .hours(1))
        #expect(scene.channel.ids.filter { $0 == "found" }.count == 3)
        #expect(scene.recorder.ends == ["found": [.sent], "lost": [.unknown]])
        let waits = scene.recorder.events.filter {
            if case .waits(.retrying, _) = $0.change { true } else { false }
        }
        #expect(!waits.isEmpty && waits.allSatisfy { $0.reservation == .uncertain })
        let tries = scene.channel.deliveries.filter { $0.message.id == "lost" }
        #expect(tries.count == RetryPolicy().attempts)
    }

    @Test("a channel that answers too little leaves the rest unknown, not lost and not sent twice")
    func silentChannel() async {
        struct Silent: Channel {
            var name: String { "log" }
            func send(_ messages: [OutboundMessage]) async -> [SendOutcome] { [] }
        }
        let world = SeededExecutor(seed: 1)
        let timeline = ModelTimeline(clock: world)
        let recorder = ModelRecorder()
        let dispatcher = Dispatcher(
            timeline: timeline,
            alarm: ModelAlarm(clock: world, manner: .silent, seed: 1),
            clock: world,
            channels: [Silent()],
            recorder: recorder,
            seed: 1,
            logger: .init(label: "test")
        )
        Task(executorPreference: world) { try await dispatcher.run() }
        Task(executorPreference: world) {
            try await timeline.schedule([
                Push(
                    id: "one",
                    recipient: Recipient(account: "a", person: "p"),
                    due: world.now(),
                    channel: "log",
                    payload: []
                )
            ])
        }
        world.run(for: .hours(1))
        #expect(recorder.ends == ["one": [.unknown]])
    }

    @Test(
        "a stopped account holds its pushes without counting attempts, tells somebody once, and goes on when resumed"
    )
    func stopAccount() {
        let isBroken = Mutex(true)
        let scene = Scene { message, _ in
            message.recipient.account == "a" && isBroken.withLock { $0 }
                ? .stopAccount(cause: SendCause(code: "48001", message: "no right"))
                : .sent(reference: nil)
        }
        scene.run()
        scene.schedule((0..<20).map { scene.push("a\($0)", account: "a", after: .seconds($0)) })
        scene.schedule((0..<20).map { scene.push("b\($0)", account: "b", after: .seconds($0)) })
        scene.world.run(for: .hours(1))
        #expect(scene.channel.ids.filter { $0.hasPrefix("a") }.count == 1)
        #expect(scene.channel.ids.filter { $0.hasPrefix("b") }.count == 20)
        #expect(
            scene.recorder.alerts
                == [
                    .accountStopped(
                        account: "a",
                        cause: SendCause(code: "48001", message: "no right")
                    )
                ]
        )
        isBroken.withLock { $0 = false }
        scene.dispatcher.resume("a")
        scene.world.run(for: .seconds(61))
        let sent = scene.channel.deliveries.filter { $0.message.recipient.account == "a" }
        #expect(sent.count == 21)
        #expect(sent.allSatisfy { $0.message.attempt == 0 })
        #expect(scene.timeline.pending.isEmpty)
    }
}
