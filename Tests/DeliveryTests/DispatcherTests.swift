import BelfryCore
import BelfrySimulation
import Synchronization
import Testing

@testable import BelfryDelivery

@Suite("The dispatcher")
struct DispatcherTests {
    @Test("hands a push over when it is due, not before, and once")
    func onTime() throws {
        let scene = Scene()
        scene.run()
        scene.schedule([scene.push("one", after: .seconds(5))])
        scene.world.run(for: .milliseconds(4_999))
        #expect(scene.channel.deliveries.isEmpty)
        scene.world.run(for: .hours(1))
        #expect(scene.channel.ids == ["one"])
        #expect(scene.channel.deliveries[0].at == scene.start + .seconds(5))
        #expect(scene.timeline.pending.isEmpty)
        let event = try #require(scene.recorder.events.first)
        #expect(event.change == .ended(.sent))
        #expect(event.reservation == .used)
        #expect(event.lateness == .zero)
        #expect(scene.recorder.events.count == 1)
        #expect(scene.dispatcher.snapshot().sent == 1)
        #expect(scene.dispatcher.snapshot().inFlight == 0)
    }

    @Test("looks every four minutes, and a little more, when there is nothing to do")
    func idle() {
        let scene = Scene()
        scene.run()
        scene.world.run(for: .hours(1))
        #expect((12...16).contains(scene.timeline.claimCalls))
    }

    @Test("a shorter time between two looks, and a smaller claim, hold at once")
    func paced() {
        let scene = Scene(alarm: .silent)
        scene.run()
        scene.world.run(for: .seconds(1))
        let before = scene.timeline.claimCalls
        scene.dispatcher.pace(claimBatch: 1, sweep: .seconds(2))
        scene.schedule((0..<3).map { scene.push("\($0)") })
        scene.world.run(for: .seconds(10))
        #expect(scene.channel.ids.count == 3)
        // One push a claim; the alarm says nothing, so that a sweep was what came first.
        #expect(scene.timeline.claimCalls - before > 3)
    }

    @Test("with nothing due nothing happens between two looks", arguments: [false, true])
    func asleep(afterWork: Bool) {
        var settings = DispatcherSettings()
        settings.sweep = .hours(10)
        let scene = Scene(settings: settings)
        scene.run()
        if afterWork { scene.schedule([scene.push("done", after: .seconds(1))]) }
        scene.schedule([scene.push("far", after: .hours(20))])
        scene.world.run(for: .minutes(5))
        #expect(scene.channel.ids == (afterWork ? ["done"] : []))
        let before = scene.world.steps
        scene.world.run(for: .hours(1))
        #expect(scene.world.steps == before)
    }

    @Test("delivers ten thousand pushes exactly once through a flaky channel", arguments: 1...2)
    func flaky(seed: UInt64) {
        let random = Mutex(SplitMix64(seed: seed))
        let scene = Scene(seed: seed) { _, world in
            switch random.withLock({ Int.random(in: 0..<10, using: &$0) }) {
            case 0:
                return .retry(after: nil, cause: SendCause(code: "http_500", message: "no"))
            case 1:
                try? await world.sleep(for: .milliseconds(20))
                return .sent(reference: nil)
            default: return .sent(reference: "r")
            }
        }
        scene.run()
        scene.schedule(
            (0..<10_000).map {
                scene.push("\($0)", account: "a\($0 % 7)", after: .milliseconds($0 % 30 * 100))
            }
        )
        scene.world.run(for: .hours(3))
        #expect(scene.timeline.pending.isEmpty)
        let ends = scene.recorder.ends
        #expect(ends.count == 10_000)
        #expect(ends.values.allSatisfy { $0 == [.sent] || $0 == [.dead] })
        let accepted = ends.values.filter { $0 == [.sent] }.count
        #expect(scene.dispatcher.snapshot().sent == accepted)
        #expect(accepted > 9_990)
        for delivery in scene.channel.deliveries { #expect(delivery.at >= delivery.message.due) }
    }

    @Test("a lying alarm makes pushes late by at most the sweep", arguments: 1...20)
    func lyingAlarm(seed: UInt64) {
        for manner in [ModelAlarm.Manner.silent, .raving, .random] {
            var settings = DispatcherSettings()
            settings.sweep = .seconds(60)
            let scene = Scene(seed: seed, alarm: manner, settings: settings)
            scene.run()
            scene.schedule(
                (0..<50).map { scene.push("\($0)", after: .milliseconds($0 * 3_100)) }
            )
            scene.world.run(for: .minutes(10))
            #expect(scene.channel.deliveries.count == 50)
            for delivery in scene.channel.deliveries {
                let late = delivery.at - delivery.message.due
                #expect(late >= .zero && late <= .seconds(75))
            }
            #expect(scene.timeline.claimCalls < 2_000)
        }
    }
}
