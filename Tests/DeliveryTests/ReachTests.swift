import BelfryCore
import BelfrySimulation
import Testing

@testable import BelfryDelivery

@Suite("Where others could send it, too")
struct ReachTests {
    private static let start = Timestamp(milliseconds: 1_700_000_000_000)

    /// Settlements at a steady pace.
    private func settle(
        _ reach: inout Reach,
        _ perSecond: Int,
        from second: Int64,
        isBusy: Bool = true
    ) {
        for tenth in 0..<20 {
            let now = Self.start + .milliseconds(second * 1000 + Int64(tenth) * 100)
            reach.settled(perSecond / 10, isBusy: isBusy, at: now)
        }
    }

    @Test("as much is held as goes out in half a second, and never too little to be worth a claim")
    func follows() {
        var reach = Reach(.milliseconds(500))
        #expect(reach.pushes == Reach.least)
        settle(&reach, 10_000, from: 0)
        #expect(abs(reach.pushes - 5_000) < 500)
        settle(&reach, 2_000, from: 2)
        #expect(abs(reach.pushes - 1_000) < 200)
        settle(&reach, 10, from: 4)
        #expect(reach.pushes == Reach.least)
    }

    @Test("a quiet time says nothing of how fast things could go, nor does a pause")
    func quiet() {
        var reach = Reach(.milliseconds(500))
        settle(&reach, 10_000, from: 0)
        let known = reach.pushes
        settle(&reach, 10, from: 2, isBusy: false)
        #expect(reach.pushes == known)
        settle(&reach, 10_000, from: 3_600)
        #expect(abs(reach.pushes - 5_000) < 500)
    }

    private func settings() -> DispatcherSettings {
        var settings = DispatcherSettings()
        settings.reach = .milliseconds(500)
        return settings
    }

    @Test("of a rush a worker holds little at any time, and all of it goes out once")
    func rush() {
        // A thousand messages a second.
        let scene = Scene(settings: settings(), isBatching: true) { _, world in
            try? await world.sleep(for: .milliseconds(1))
            return .sent(reference: nil)
        }
        scene.run()
        scene.schedule((0..<8_000).map { scene.push("\($0)") })
        var most = 0
        for _ in 0..<200 {
            scene.world.run(for: .milliseconds(20))
            most = max(most, scene.dispatcher.snapshot().inFlight)
        }
        #expect(most <= 4_000, "a quarter of the time it takes, and no more than it had learnt")
        scene.world.run(for: .minutes(1))
        #expect(scene.channel.deliveries.count == 8_000)
        #expect(Set(scene.channel.ids).count == 8_000)
        #expect(scene.timeline.pending.isEmpty)
    }

    @Test("calls that take long do not keep others from being made")
    func slowCalls() {
        var settings = settings()
        settings.shipmentMessages = 1
        settings.shipments = 4_000
        let scene = Scene(settings: settings) { _, world in
            try? await world.sleep(for: .seconds(5))
            return .sent(reference: nil)
        }
        scene.run()
        scene.schedule((0..<3_000).map { scene.push("\($0)", account: "a\($0 % 50)") })
        scene.world.run(for: .seconds(2))
        #expect(scene.channel.deliveries.count == 3_000)
    }

    @Test("a channel that hangs keeps what is due for others waiting for a second, no longer")
    func hangs() {
        let scene = Scene(settings: settings(), isBatching: true) { message, world in
            if message.recipient.account == "hung" { try? await world.sleep(for: .minutes(1)) }
            return .sent(reference: nil)
        }
        scene.run()
        scene.schedule((0..<600).map { scene.push("h\($0)", account: "hung") })
        scene.schedule(
            (0..<100).map { scene.push("o\($0)", account: "other", after: .milliseconds(100)) }
        )
        scene.world.run(for: .seconds(3))
        #expect(scene.channel.ids.filter { $0.hasPrefix("o") }.count == 100)
    }
}
