import BelfryCore
import BelfrySimulation
import Synchronization
import Testing

@testable import BelfryDelivery

/// Four messages at once, each taking 40 ms: 100 a second.
@Suite("Low bands wait when capacity is short")
struct OverloadTests {
    private func scene(
        seed: UInt64 = 1,
        service: Duration = .milliseconds(40),
        _ change: (inout DispatcherSettings) -> Void = { _ in }
    ) -> Scene {
        var settings = DispatcherSettings()
        settings.sends = 4
        settings.shipmentMessages = 1
        settings.overload.lagGoal = .milliseconds(500)
        settings.overload.longest = .minutes(2)
        change(&settings)
        return Scene(seed: seed, settings: settings) { _, world in
            try? await world.sleep(for: service)
            return .sent(reference: nil)
        }
    }

    /// High: 40 a second for 15 seconds. Low: 300 a second from the third second on, for 2 seconds.
    private func overload(_ scene: Scene) {
        scene.schedule(
            (0..<600).map {
                scene.push("h\($0)", account: "h", after: .milliseconds(25 * $0), priority: .high)
            }
        )
        scene.schedule(
            (0..<600).map {
                scene.push(
                    "l\($0)",
                    account: "l\($0 % 3)",
                    after: .milliseconds(3_000 + $0 * 10 / 3),
                    priority: .low
                )
            }
        )
    }

    private func lateness(_ scene: Scene, _ prefix: String) -> [Duration] {
        scene.channel.deliveries.filter { $0.message.id.text.hasPrefix(prefix) }
            .map { $0.at - $0.message.asked }
    }

    @Test(
        "high pushes keep their lateness, low ones wait with the reason on record, and nothing is lost",
        arguments: 1...2
    )
    func life(seed: UInt64) throws {
        let scene = scene(seed: seed)
        scene.run()
        overload(scene)
        scene.world.run(for: .seconds(6))
        let overload = try #require(scene.dispatcher.overload)
        #expect(overload.from == .low)
        #expect(overload.reason == .saturation)
        #expect(scene.dispatcher.snapshot().overload == overload)
        #expect(scene.dispatcher.snapshot().inFlight < 200, "what waits, waits in the timeline")
        scene.world.run(for: .seconds(60))
        let high = lateness(scene, "h").sorted()
        #expect(high.count == 600)
        // One that is under way is never taken back: at most the time of one message.
        #expect(try #require(high.last) <= .milliseconds(41))
        #expect(lateness(scene, "l").count == 600)
        #expect(Set(scene.channel.ids).count == 1_200)
        #expect(scene.channel.deliveries.allSatisfy { $0.message.attempt == 0 })
        #expect(scene.dispatcher.overload == nil)
        let snapshot = scene.dispatcher.snapshot()
        #expect(snapshot.overloads == 1)
        #expect(snapshot.waits.isEmpty, "nothing was claimed to be put back")
        let events = scene.recorder.events.filter { $0.cause?.code == "overload" }
        #expect(events.count > 300)
        #expect(events.allSatisfy { $0.claim.push.priority == .low })
        #expect(events.allSatisfy { $0.change == .ended(.sent) })
        #expect(snapshot.deferred == events.count)
        #expect(scene.timeline.pending.isEmpty)
        #expect(scene.timeline.claimCalls < 8_000)
    }

    @Test(
        "from the first moment of a rush of low pushes, places are free for high ones",
        arguments: 1...2
    )
    func firstMoment(seed: UInt64) throws {
        // So long a rush lasts before it counts as a shortage: what is seen is not yet the deferral.
        let scene = scene(seed: seed) { $0.overload.lagGoal = .seconds(10) }
        scene.run()
        scene.schedule(
            (0..<100).map {
                scene.push("h\($0)", account: "h", after: .milliseconds(50 * $0), priority: .high)
            }
        )
        scene.schedule(
            (0..<300).map {
                scene.push("l\($0)", account: "l", after: .seconds(1), priority: .low)
            }
        )
        scene.world.run(for: .seconds(5))
        #expect(scene.dispatcher.snapshot().overloads == 0)
        let high = lateness(scene, "h")
        #expect(high.count == 100)
        #expect(try #require(high.max()) <= .milliseconds(1))
        scene.world.run(for: .minutes(1))
        #expect(lateness(scene, "l").count == 300)
    }

    @Test("low pushes alone may use every place")
    func alone() {
        let scene = scene()
        scene.run()
        scene.schedule((0..<100).map { scene.push("l\($0)", priority: .low) })
        scene.world.run(for: .seconds(2))
        #expect(lateness(scene, "l").allSatisfy { $0 <= .milliseconds(1_041) })
        #expect(lateness(scene, "l").count == 100)
    }

    @Test("what is left free is used by what is deferred, and the end is no rush", arguments: 1...2)
    func trickle(seed: UInt64) {
        let scene = scene(seed: seed)
        scene.run()
        overload(scene)
        scene.world.run(for: .seconds(40))
        // 75 of 100 places a second may be used while low ones wait, and high ones need 40 of them.
        for second in 6..<14 {
            let from = scene.start + .seconds(second)
            let sent = scene.channel.deliveries.count {
                $0.at >= from && $0.at < from + .seconds(1)
            }
            #expect((60...101).contains(sent), "\(sent) in second \(second)")
        }
        #expect(lateness(scene, "l").count == 600)
    }

    @Test(
        "with the policy off nothing is deferred; with nobody to protect neither",
        arguments: [true, false]
    )
    func off(isOff: Bool) {
        let scene = scene { if isOff { $0.overload.highest = nil } }
        scene.run()
        if isOff {
            overload(scene)
        } else {
            scene.schedule((0..<600).map { scene.push("l\($0)", priority: .low) })
        }
        scene.world.run(for: .minutes(1))
        #expect(scene.dispatcher.snapshot().overloads == 0)
        #expect(scene.recorder.events.allSatisfy { $0.cause == nil })
        #expect(lateness(scene, "l").count == 600)
    }

    @Test(
        "no push is deferred for longer than the policy says, however short capacity stays",
        arguments: 1...2
    )
    func bounded(seed: UInt64) throws {
        let scene = scene(seed: seed) {
            $0.overload.longest = .seconds(5)
            $0.ageing = .seconds(1)
        }
        scene.run()
        // More high ones than can go, for 20 seconds.
        scene.schedule(
            (0..<2_400).map {
                scene.push(
                    "h\($0)",
                    account: "h",
                    after: .milliseconds($0 * 25 / 3),
                    priority: .high
                )
            }
        )
        scene.schedule(
            (0..<20).map { scene.push("l\($0)", account: "l", after: .seconds(3), priority: .low) }
        )
        scene.world.run(for: .seconds(19))
        #expect(scene.dispatcher.overload != nil)
        let low = lateness(scene, "l")
        #expect(low.count == 20)
        #expect(try #require(low.max()) <= .seconds(9))
        scene.world.run(for: .minutes(1))
        #expect(scene.channel.deliveries.count == 2_420)
    }

    @Test("a deferred push that expires is recorded as expired, with the reason")
    func expiry() throws {
        let scene = scene()
        scene.run()
        overload(scene)
        let mortal = (0..<50).map {
            scene.push(
                "m\($0)",
                after: .seconds(6),
                expires: .seconds(7),
                priority: .low
            )
        }
        scene.schedule(mortal)
        scene.world.run(for: .minutes(1))
        let ends = scene.recorder.ends
        #expect(mortal.allSatisfy { ends[$0.id] == [.expired] })
        let event = try #require(scene.recorder.events.first { $0.claim.push.id == "m0" })
        #expect(event.cause?.code == "expired")
        #expect(event.cause?.message.contains("deferred") == true)
        #expect(!scene.channel.ids.contains { $0.hasPrefix("m") })
    }

    @Test("more ahead than was ever sent in that time: low bands wait before anything is late")
    func forecast() throws {
        let scene = scene()
        scene.run()
        // How much can be sent is learnt once, without a shortage.
        scene.schedule((0..<60).map { scene.push("w\($0)", account: "w") })
        scene.world.run(for: .seconds(2))
        #expect(try #require(scene.dispatcher.snapshot().capacity) > 80)
        #expect(scene.dispatcher.snapshot().overloads == 0)
        scene.schedule(
            (0..<9_000).map {
                scene.push("l\($0)", after: .seconds(60) + .milliseconds($0), priority: .low)
            }
        )
        scene.schedule(
            (0..<100).map {
                scene.push(
                    "h\($0)",
                    account: "h",
                    after: .seconds(10) + .milliseconds(10 * $0),
                    priority: .high
                )
            }
        )
        scene.world.run(for: .seconds(12))
        #expect(scene.dispatcher.overload?.reason == .forecast)
        #expect(lateness(scene, "h").allSatisfy { $0 <= .milliseconds(41) })
    }

    @Test(
        "the last places of the desk are for high bands: a flood that nobody foresaw lets them in"
    )
    func room() throws {
        let scene = scene {
            $0.capacity = 160
            $0.claimBatch = 40
        }
        scene.run()
        scene.schedule(
            (0..<3_000).map { scene.push("n\($0)", account: "n\($0 % 5)", after: .seconds(1)) }
        )
        scene.schedule(
            (0..<20).map {
                scene.push(
                    "u\($0)",
                    account: "u",
                    after: .seconds(2) + .milliseconds(50 * $0),
                    priority: .urgent
                )
            }
        )
        scene.world.run(for: .seconds(4))
        let urgent = lateness(scene, "u")
        #expect(urgent.count == 20)
        #expect(try #require(urgent.max()) <= .milliseconds(41))
        scene.world.run(for: .minutes(2))
        #expect(scene.channel.deliveries.count == 3_020)
    }

    @Test("in quiet times nobody looks at how busy it is, and the timeline is asked nothing more")
    func quiet() {
        let scene = scene()
        scene.run()
        scene.schedule(
            (0..<500).map { scene.push("n\($0)", after: .milliseconds(100 * $0)) }
        )
        scene.world.run(for: .minutes(2))
        #expect(scene.channel.deliveries.count == 500)
        #expect(scene.timeline.state.withLock { $0.forecasts } == 0)
        #expect(scene.dispatcher.snapshot().capacity == nil)
    }
}
