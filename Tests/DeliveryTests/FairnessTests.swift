import BelfryCore
import BelfrySimulation
import Testing

@testable import BelfryDelivery

@Suite("Accounts take turns")
struct FairnessTests {
    @Test("an account that is short of tokens does not delay another", arguments: 1...5)
    func tokens(seed: UInt64) {
        let scene = Scene(seed: seed)
        scene.limits["a"] = AccountLimit(rate: .init(perSecond: 10, burst: 5))
        scene.run()
        scene.schedule(
            (0..<3_000).map { scene.push("a\($0)", account: "a", after: .seconds(1)) }
                + (0..<200).map { scene.push("b\($0)", account: "b", after: .seconds(1)) }
        )
        scene.world.run(for: .seconds(2))
        let others = scene.channel.deliveries.filter { $0.message.recipient.account == "b" }
        #expect(others.count == 200)
        #expect(others.allSatisfy { $0.at - $0.message.due <= .milliseconds(50) })
        scene.world.run(for: .minutes(8))
        #expect(scene.channel.deliveries.count == 3_200)
        #expect(Set(scene.channel.ids).count == 3_200)
        #expect(scene.channel.deliveries.allSatisfy { $0.message.attempt == 0 })
        // Each waited in the timeline for a turn of its own: not a busy loop of claiming and putting back.
        #expect(scene.dispatcher.snapshot().waits[.heldRate, default: 0] < 15_000)
        #expect(scene.timeline.claimCalls < 10_000)
    }

    @Test(
        "no second carries more than the rate, nor any start more than the burst",
        arguments: 1...5
    )
    func rate(seed: UInt64) {
        let scene = Scene(seed: seed)
        scene.limits["a"] = AccountLimit(rate: .init(perSecond: 50, burst: 20))
        scene.run()
        scene.schedule((0..<1_000).map { scene.push("\($0)", after: .seconds(1)) })
        scene.world.run(for: .minutes(2))
        let times = scene.channel.deliveries.map { ($0.at - scene.start).milliseconds }
        #expect(times.count == 1_000)
        for (index, time) in times.enumerated() {
            let within = times[index...].prefix { $0 < time + 1_000 }.count
            #expect(within <= 70)
        }
        // It also makes use of the rate: 980 after the burst take about 20 seconds.
        #expect((19_900...25_000).contains(times.last! - times.first!))
    }

    @Test("what is put back for the rate or a pause still counts as due until it is sent")
    func putBack() {
        let scene = Scene()
        scene.limits["a"] = AccountLimit(rate: .init(perSecond: 10, burst: 1))
        scene.run()
        scene.schedule((0..<300).map { scene.push("\($0)") })
        scene.world.run(for: .seconds(5))
        let snapshot = scene.dispatcher.snapshot()
        let left = 300 - scene.channel.deliveries.count
        // Those whose turn is this very second are in the timeline.
        #expect((left - 20...left).contains(snapshot.putBack + snapshot.inFlight))
        scene.world.run(for: .minutes(2))
        #expect(scene.channel.deliveries.count == 300)
        #expect(scene.dispatcher.snapshot().putBack == 0)
    }

    @Test("a rate that is raised while pushes wait takes effect at once")
    func liveRate() {
        let scene = Scene()
        scene.limits["a"] = AccountLimit(rate: .init(perSecond: 1, burst: 1))
        scene.run()
        scene.schedule((0..<8).map { scene.push("\($0)") })
        scene.world.run(for: .milliseconds(1_500))
        #expect(scene.channel.deliveries.count == 2)
        scene.limits["a"] = AccountLimit(rate: .init(perSecond: 1_000, burst: 100))
        scene.world.run(for: .seconds(1))
        #expect(scene.channel.deliveries.count == 8)
    }

    @Test("an account without a rate sends as fast as its channel takes it")
    func noRate() throws {
        let scene = Scene()
        scene.limits["a"] = AccountLimit(concurrency: 16)
        scene.run()
        scene.schedule((0..<5_000).map { scene.push("\($0)", after: .seconds(1)) })
        scene.world.run(for: .seconds(30))
        #expect(scene.channel.deliveries.count == 5_000)
        let took = try #require(scene.channel.deliveries.last).at - scene.start
        #expect(took < .seconds(3), "it took \(took)")
    }

    @Test("no more messages of an account are under way than it allows, and others pass by")
    func concurrency() {
        let scene = Scene { message, world in
            if message.recipient.account == "slow" {
                try? await world.sleep(for: .seconds(2))
            }
            return .sent(reference: nil)
        }
        scene.limits["slow"] = AccountLimit(concurrency: 1)
        scene.run()
        scene.schedule(
            (0..<100).map { scene.push("s\($0)", account: "slow") }
                + (0..<500).map { scene.push("f\($0)", account: "fast") }
        )
        scene.world.run(for: .milliseconds(100))
        #expect(scene.channel.ids.filter { $0.hasPrefix("f") }.count == 500)
        scene.world.run(for: .minutes(10))
        let slow = scene.channel.deliveries.filter { $0.message.id.text.hasPrefix("s") }
        #expect(slow.count == 100)
        for (one, next) in zip(slow, slow.dropFirst()) { #expect(next.at - one.at >= .seconds(2)) }
    }

    @Test("where a channel takes many messages in one call, concurrency bounds calls, not messages")
    func batching() throws {
        var settings = DispatcherSettings()
        settings.shipmentMessages = 100
        // A call of 100 messages takes 100 ms.
        let scene = Scene(settings: settings, isBatching: true) { _, world in
            try? await world.sleep(for: .milliseconds(1))
            return .sent(reference: nil)
        }
        scene.limits["a"] = AccountLimit(concurrency: 2)
        scene.run()
        scene.schedule((0..<2_000).map { scene.push("\($0)", after: .seconds(1)) })
        scene.world.run(for: .seconds(10))
        #expect(scene.channel.deliveries.count == 2_000)
        let times = Dictionary(grouping: scene.channel.deliveries, by: \.at)
        #expect(times.values.allSatisfy { $0.count <= 200 }, "two calls at once")
        let took = try #require(scene.channel.deliveries.last).at - scene.start
        #expect(took <= .milliseconds(2_000), "it took \(took)")
    }

    @Test("an account whose calls all hang leaves room for the others")
    func hanging() {
        var settings = DispatcherSettings()
        settings.shipments = 4
        settings.shipmentMessages = 10
        settings.capacity = 200
        settings.claimBatch = 50
        let scene = Scene(settings: settings) { message, world in
            if message.recipient.account == "hung" {
                try? await world.sleep(for: .hours(1))
            }
            return .sent(reference: nil)
        }
        scene.run()
        scene.schedule((0..<1_000).map { scene.push("h\($0)", account: "hung") })
        scene.schedule((0..<100).map { scene.push("f\($0)", account: "fast") })
        scene.world.run(for: .seconds(20))
        #expect(scene.channel.ids.filter { $0.hasPrefix("f") }.count == 100)
    }

    @Test("a paused account waits, others go on, and after the resumption everything is sent once")
    func paused() {
        let scene = Scene()
        scene.run()
        scene.dispatcher.pause("a", cause: SendCause(code: "hand", message: "by hand"))
        scene.schedule(
            (0..<50).map { scene.push("a\($0)", account: "a") }
                + (0..<50).map { scene.push("b\($0)", account: "b") }
        )
        scene.world.run(for: .hours(2))
        #expect(scene.channel.ids.allSatisfy { $0.hasPrefix("b") })
        #expect(scene.dispatcher.pausedAccounts["a"]?.code == "hand")
        scene.dispatcher.resume("a")
        scene.world.run(for: .seconds(61))
        #expect(scene.channel.deliveries.count == 100)
        #expect(scene.channel.deliveries.allSatisfy { $0.message.attempt == 0 })
    }

    @Test("with everything paused nothing is claimed, and the resumption is felt at once")
    func allPaused() {
        let scene = Scene()
        scene.run()
        scene.world.run(for: .zero)
        scene.dispatcher.pauseAll(cause: SendCause(code: "hand", message: "by hand"))
        scene.schedule([scene.push("one")])
        let looks = scene.timeline.claimCalls
        scene.world.run(for: .hours(1))
        #expect(scene.channel.deliveries.isEmpty)
        #expect(scene.timeline.claimCalls == looks)
        #expect(scene.dispatcher.snapshot().isPaused)
        scene.dispatcher.resumeAll()
        scene.world.run(for: .milliseconds(1))
        #expect(scene.channel.ids == ["one"])
    }
}
