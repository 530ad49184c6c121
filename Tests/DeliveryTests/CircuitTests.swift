import BelfryCore
import BelfrySimulation
import Testing

@testable import BelfryDelivery

@Suite("The circuit of an endpoint")
struct CircuitTests {
    private static let cause = SendCause(code: "not_connected", message: "nobody is there")
    private static let gone = SendOutcome.unreachable(after: nil, cause: cause)

    /// Nobody answers before `end`, for the accounts that are meant.
    private func outage(
        until end: Duration,
        of accounts: Set<String> = ["a"],
        settings: DispatcherSettings = DispatcherSettings(),
        isBroker: Bool = false,
        answering outcome: SendOutcome = gone
    ) -> Scene {
        let over = Timestamp(milliseconds: 1_700_000_000_000) + end
        return Scene(settings: settings, isBatching: isBroker, isShared: isBroker) {
            message,
            world in
            accounts.contains(message.recipient.account) && world.now() < over
                ? outcome : .sent(reference: nil)
        }
    }

    private func holds(_ scene: Scene) -> [DeliveryEvent] {
        scene.recorder.events.filter { $0.cause?.code == "circuit_open" }
    }

    @Test("that stays away for longer than all attempts costs nothing but time", arguments: 1...3)
    func longOutage(seed: UInt64) throws {
        let scene = outage(until: .hours(2))
        scene.run()
        scene.schedule(
            (0..<40).map { scene.push("\($0)", after: .seconds(Int64($0) * Int64(seed) * 20)) }
        )
        scene.world.run(for: .hours(1))
        let snapshot = try #require(scene.dispatcher.snapshot().circuits.first)
        #expect(snapshot.endpoint == Endpoint(channel: "log", name: "a"))
        #expect(snapshot.openings == 1)
        #expect(try #require(snapshot.open).since < scene.start + .minutes(5))
        #expect(snapshot.open?.cause == Self.cause)
        #expect(scene.dispatcher.openCircuits(of: "a").count == 1)
        #expect(scene.dispatcher.openCircuits(of: "b").isEmpty)
        // A probe every half minute to two minutes, and not a push more.
        #expect((35...130).contains(scene.channel.deliveries.count))
        scene.world.run(for: .hours(1) + .minutes(3))
        let sent = scene.channel.deliveries.filter { $0.at >= scene.start + .hours(2) }
        #expect(sent.count == 40 && Set(sent.map(\.message.id)).count == 40)
        #expect(sent.allSatisfy { $0.message.attempt < 5 }, "what is held uses no attempt up")
        #expect(scene.recorder.ends.values.allSatisfy { $0 == [.sent] })
        #expect(scene.timeline.pending.isEmpty)
        #expect(holds(scene).allSatisfy { $0.cause?.message.contains("nobody is there") ?? false })
        #expect(
            holds(scene).allSatisfy {
                if case .waits(.heldPaused, _) = $0.change { true } else { false }
            }
        )
        #expect(scene.dispatcher.snapshot().circuits.map(\.open) == [nil])
    }

    @Test("while it is open makes nobody else late: no other account, and no other channel")
    func others() {
        var settings = DispatcherSettings()
        settings.shipmentMessages = 10
        settings.claimBatch = 200
        settings.capacity = 1_000
        let scene = Scene(settings: settings) { message, world in
            guard message.recipient.account == "down" else { return .sent(reference: nil) }
            try? await world.sleep(for: .seconds(2))
            return Self.gone
        }
        scene.run()
        scene.schedule((0..<200).map { scene.push("d\($0)", account: "down") })
        scene.schedule(
            (0..<300).map { scene.push("u\($0)", account: "up", after: .seconds(Int64($0))) }
                + (0..<300).map {
                    scene.push(
                        "o\($0)",
                        account: "down",
                        after: .seconds(Int64($0)),
                        channel: "other"
                    )
                }
        )
        scene.world.run(for: .minutes(6))
        let up = scene.channel.deliveries.filter { $0.message.recipient.account == "up" }
        for deliveries in [up, scene.other.deliveries] {
            #expect(deliveries.count == 300)
            #expect(deliveries.allSatisfy { $0.at - $0.message.asked <= .milliseconds(100) })
        }
        #expect(scene.dispatcher.snapshot().circuits.first?.open != nil)
        #expect(scene.timeline.pending.count == 200)
    }

    @Test("holds a push no longer than its own expiry, and its end says what stood in the way")
    func expiry() throws {
        let scene = outage(until: .hours(9))
        scene.run()
        scene.schedule((0..<10).map { scene.push("\($0)") })
        scene.schedule([scene.push("short", after: .seconds(90), expires: .minutes(10))])
        scene.world.run(for: .minutes(20))
        let end = try #require(scene.recorder.events.last { $0.claim.push.id == "short" })
        #expect(end.change == .ended(.expired))
        #expect(end.at - scene.start >= .minutes(10))
        #expect(end.at - scene.start <= .seconds(601))
        #expect(try #require(end.cause).message.contains("nobody is there"))
        #expect(scene.recorder.ends.count == 1)
    }

    @Test("of a broker is one for all accounts; a batch is one failure, and the probe one message")
    func broker() throws {
        let scene = outage(until: .minutes(30), of: ["a", "b", "c"], isBroker: true)
        scene.run()
        scene.schedule(
            (0..<300).map { scene.push("\($0)", account: ["a", "b", "c"][$0 % 3]) }
        )
        scene.world.run(for: .minutes(30))
        #expect(scene.dispatcher.openCircuits(of: "c").map(\.endpoint.description) == ["log"])
        let opened = try #require(scene.dispatcher.snapshot().circuits.first?.open).since
        let later = scene.channel.deliveries.filter { $0.at > opened }
        let probes = Dictionary(grouping: later, by: \.at)
        #expect(probes.count > 10 && probes.values.allSatisfy { $0.count == 1 })
        scene.world.run(for: .minutes(3))
        #expect(scene.recorder.ends.count == 300)
        #expect(scene.recorder.ends.values.allSatisfy { $0 == [.sent] })
    }

    @Test("opens by answers that never came: what follows waits instead of being assumed sent")
    func unknown() {
        let scene = outage(until: .minutes(10), answering: .unknown(cause: Self.cause))
        scene.limits["a"] = AccountLimit(concurrency: 1)
        scene.run()
        scene.schedule((0..<100).map { scene.push("\($0)") })
        scene.world.run(for: .minutes(14))
        let unknown = scene.recorder.ends.values.filter { $0 == [.unknown] }.count
        // Five until it opens, and the probes.
        #expect((5...35).contains(unknown))
        #expect(scene.recorder.ends.values.filter { $0 == [.sent] }.count == 100 - unknown)
    }

    @Test("stays closed where somebody answers, whatever the answer, and where that is set so")
    func closed() {
        var never = DispatcherSettings()
        never.circuit.failures = 0
        let refusal = SendOutcome.retry(after: nil, cause: Self.cause)
        for scene in [
            outage(until: .hours(9), answering: refusal),
            outage(until: .hours(9), settings: never),
        ] {
            scene.run()
            scene.schedule((0..<20).map { scene.push("\($0)") })
            scene.world.run(for: .hours(5))
            #expect(scene.dispatcher.snapshot().circuits.isEmpty)
            #expect(scene.recorder.ends.count == 20)
            #expect(scene.recorder.ends.values.allSatisfy { $0 == [.dead] })
        }
    }

    @Test("opens before a push that is alone with it has used up its attempts")
    func alone() {
        var settings = DispatcherSettings()
        settings.retry.attempts = 2
        let scene = outage(until: .hours(2), settings: settings)
        scene.run()
        scene.schedule([scene.push("one")])
        scene.world.run(for: .hours(2) + .minutes(3))
        #expect(scene.recorder.ends == ["one": [.sent]])
    }

    @Test("waits twice as long after each probe that fails, up to its bound; half of it is drawn")
    func coolDown() throws {
        var random = SplitMix64(seed: 7)
        var policy = CircuitPolicy()
        policy.coolDown = .seconds(5)
        var circuit = Circuit()
        var now = Timestamp(milliseconds: 1_700_000_000_000)
        circuit.failed(4, Self.cause, by: 1, policy, now, using: &random)
        #expect(circuit.block(now) == nil)
        circuit.failed(1, Self.cause, by: 2, policy, now, using: &random)
        for bound in [5_000, 10_000, 20_000, 40_000, 60_000, 60_000] as [Int64] {
            let until = try #require(circuit.block(now)).until
            #expect((bound / 2...bound).contains((until - now).milliseconds))
            // What was under way when it opened.
            circuit.failed(9, Self.cause, by: 3, policy, now, using: &random)
            #expect(circuit.block(now)?.until == until)
            now = until
            #expect(circuit.block(now) == nil)
            circuit.departs(4, now)
            #expect(circuit.block(now) != nil, "one probe at a time")
            circuit.failed(1, Self.cause, by: 4, policy, now, using: &random)
            circuit.arrived(4)
        }
        #expect(circuit.openings == 1)
        now = try #require(circuit.open(now)).until
        circuit.departs(5, now)
        // It was cancelled: nothing is known, and the next may find out.
        circuit.arrived(5)
        #expect(circuit.block(now) == nil)
        circuit.answered()
        #expect(circuit.open(now) == nil)
    }

    @Test("is forgotten when nobody has wanted to send for long")
    func memory() {
        var random = SplitMix64(seed: 7)
        var circuit = Circuit()
        let now = Timestamp(milliseconds: 1_700_000_000_000)
        circuit.failed(5, Self.cause, by: 1, CircuitPolicy(), now, using: &random)
        #expect(circuit.open(now + .minutes(5)) != nil)
        #expect(circuit.open(now + .minutes(6)) == nil)
        #expect(circuit.openings == 1)
    }
}
