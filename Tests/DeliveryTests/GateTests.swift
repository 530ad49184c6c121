import BelfryCore
import BelfrySimulation
import Testing

@testable import BelfryDelivery

@Suite("The gates")
struct GateTests {
    private static let now = Timestamp(milliseconds: 1_700_000_000_000)
    private let paused = Pause(cause: SendCause(code: "paused", message: "by hand"))

    private func parcel(_ id: String, priority: Priority = .normal, expires: Timestamp? = nil)
        -> Parcel
    {
        let push = Push(
            id: PushID(id),
            recipient: Recipient(account: "a", person: "p"),
            due: Self.now,
            expires: expires,
            priority: priority,
            channel: "log",
            payload: []
        )
        let claim = Claim(
            token: ClaimToken(id: push.id, generation: 1),
            push: push,
            sequence: 1,
            attempt: 0,
            accepted: Self.now,
            leaseEnds: Self.now + .seconds(60)
        )
        return Parcel(
            claim: claim,
            message: OutboundMessage(claim),
            channel: "log",
            confirmed: 0
        )
    }

    /// What a desk with a full lane makes of one more push.
    private func verdict(_ limit: AccountLimit) -> DeliveryEvent? {
        var desk = Desk(settings: DispatcherSettings(), sequel: NoSequel(), seed: 1)
        var full = AccountLimit()
        full.rate = limit.rate
        desk.set(full, of: "a", now: Self.now)
        desk.admit((0..<8).map { parcel("\($0)") }, now: Self.now)
        desk.set(limit, of: "a", now: Self.now)
        desk.admit([parcel("probe")], now: Self.now)
        return (Array(desk.unrecorded) + desk.outbox).map(\.event)
            .first { $0.claim.push.id == "probe" }
    }

    @Test("of an account come in the order quiet hours, quota, rate, pause")
    func order() throws {
        var limit = AccountLimit(
            rate: .init(perSecond: 1, burst: 1),
            quota: .init(messages: 0, day: 1, ends: Self.now + .hours(5)),
            quietUntil: Self.now + .hours(8),
            pause: paused
        )
        #expect(verdict(limit)?.cause?.code == "quiet_hours")
        #expect(verdict(limit)?.change == .waits(.heldQuiet, until: Self.now + .hours(8)))
        limit.quietUntil = nil
        #expect(verdict(limit)?.cause?.code == "quota_day")
        limit.quota = nil
        #expect(verdict(limit)?.cause?.code == "rate")
        limit.rate = nil
        #expect(verdict(limit)?.cause?.code == "paused")
        limit.pause = nil
        #expect(verdict(limit) == nil)
    }

    @Test("an expired push does not reach the gatekeeper, and is recorded as expired, not sent")
    func expiry() {
        let gate = ScriptedGate { claim in
            claim.push.id == "late"
                ? .end(.noGrant, cause: nil, successors: [])
                : .send(OutboundMessage(claim), channel: "log")
        }
        let scene = Scene(gate: gate)
        scene.schedule([
            scene.push("late", expires: .milliseconds(500)),
            scene.push("kept", expires: .hours(1)),
        ])
        scene.world.run(for: .seconds(2))
        scene.run()
        scene.world.run(for: .seconds(2))
        #expect(scene.channel.ids == ["kept"])
        #expect(scene.recorder.ends["late"] == [.expired])
        #expect(scene.timeline.pending.isEmpty)
    }

    @Test(
        "a push that the gatekeeper ends is not sent, quiet hours or not, and what follows is scheduled"
    )
    func ended() {
        let gate = ScriptedGate { claim in
            var next = claim.push
            next.due = next.due + .seconds(10)
            next.id = "next"
            return claim.push.id == "first"
                ? .end(.skippedCondition, cause: nil, successors: [next])
                : .send(OutboundMessage(claim), channel: "log")
        }
        let scene = Scene(gate: gate)
        scene.run()
        scene.schedule([scene.push("first")])
        scene.limits["a"] = AccountLimit(quietUntil: scene.start + .seconds(5))
        scene.world.run(for: .minutes(1))
        #expect(scene.recorder.ends == ["first": [.skippedCondition], "next": [.sent]])
        #expect(scene.channel.deliveries.map(\.at) == [scene.start + .seconds(10)])
    }

    @Test("quiet hours hold a push until they end, without counting an attempt")
    func quiet() {
        let scene = Scene()
        scene.limits["a"] = AccountLimit(quietUntil: scene.start + .hours(7))
        scene.run()
        scene.schedule([scene.push("one")])
        scene.world.run(for: .hours(8))
        #expect(scene.channel.deliveries.map(\.at) == [scene.start + .hours(7)])
        #expect(scene.channel.deliveries[0].message.attempt == 0)
        #expect(scene.recorder.events.first?.reservation == .released)
    }

    @Test("beyond the day's quota a push waits for the next day, or ends if it expires before")
    func quota() {
        let scene = Scene()
        let quota = AccountLimit.DailyQuota(
            messages: 5,
            day: 1,
            ends: scene.start + .hours(3),
            usedBefore: 2
        )
        scene.limits["a"] = AccountLimit(quota: quota)
        scene.run()
        scene.schedule((0..<5).map { scene.push("\($0)") })
        scene.schedule([scene.push("short", expires: .hours(2))])
        scene.world.run(for: .hours(3) - .milliseconds(1))
        #expect(scene.channel.deliveries.count == 3)
        #expect(scene.recorder.ends["short"] == [.quotaDay])
        scene.limits["a"] = AccountLimit(
            quota: .init(messages: 5, day: 2, ends: scene.start + .hours(27))
        )
        scene.world.run(for: .minutes(2))
        #expect(scene.channel.deliveries.count == 5)
        #expect(scene.channel.deliveries.allSatisfy { $0.message.attempt == 0 })
        #expect(scene.timeline.pending.isEmpty)
    }

    @Test("an urgent push takes the place of the last one with lower priority in a full lane")
    func urgent() throws {
        var desk = Desk(settings: DispatcherSettings(), sequel: NoSequel(), seed: 1)
        desk.set(AccountLimit(rate: .init(perSecond: 1, burst: 1)), of: "a", now: Self.now)
        desk.admit((0..<8).map { parcel("\($0)", priority: .low) }, now: Self.now)
        desk.admit([parcel("urgent", priority: .urgent)], now: Self.now)
        #expect(desk.outbox.map(\.event.claim.push.id.text) == ["7"])
        let shipment = try #require(desk.depart(Self.now).first)
        #expect(shipment.parcels.map(\.claim.push.id.text) == ["urgent"])
    }

    @Test("a push for a channel that does not exist is a dead letter with a remedy")
    func noChannel() throws {
        let scene = Scene()
        scene.run()
        scene.schedule([scene.push("one", channel: "pigeon")])
        scene.world.run(for: .seconds(1))
        let event = try #require(scene.recorder.events.first)
        #expect(event.change == .ended(.dead))
        #expect(event.cause?.code == "unknown_channel")
        #expect(event.cause?.remedy.isEmpty == false)
        #expect(scene.timeline.settlements.map(\.result) == [.dead])
    }

    @Test("a gatekeeper that answers too little delays what it forgot, and loses nothing")
    func forgetful() {
        struct Forgetful: Gatekeeper {
            func decide(_ claims: [Claim], now: Timestamp) async -> [Decision] {
                [.send(OutboundMessage(claims[0]), channel: "log")]
            }
        }
        let scene = Scene(gate: Forgetful())
        scene.run()
        scene.schedule((0..<4).map { scene.push("\($0)") })
        scene.world.run(for: .minutes(1))
        #expect(Set(scene.channel.ids) == ["0", "1", "2", "3"])
        #expect(scene.channel.deliveries.count == 4)
    }
}
