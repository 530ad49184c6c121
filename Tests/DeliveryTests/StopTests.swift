import BelfryCore
import BelfrySimulation
import Synchronization
import Testing

@testable import BelfryDelivery

@Suite("Stopping")
struct StopTests {
    @Test(
        "finishes what is under way, settles it, claims nothing more, and leaves the rest to the next run"
    )
    func graceful() {
        let scene = Scene { _, world in
            try? await world.sleep(for: .seconds(1))
            return .sent(reference: nil)
        }
        scene.limits["a"] = AccountLimit(concurrency: 2)
        scene.run()
        scene.schedule((0..<10).map { scene.push("\($0)") })
        scene.world.run(for: .milliseconds(1_500))
        scene.dispatcher.stop(within: .seconds(30))
        scene.world.run(for: .seconds(10))
        #expect(scene.hasEnded)
        let first = scene.channel.deliveries.count
        #expect((2...4).contains(first))
        #expect(scene.recorder.events.filter { $0.change == .ended(.sent) }.count == first)
        #expect(scene.timeline.pending.count == 10 - first)
        let next = scene.successor()
        Task(executorPreference: scene.world) { try await next.run() }
        scene.world.run(for: .minutes(5))
        #expect(scene.channel.ids.sorted() == (0..<10).map { "\($0)" })
        #expect(scene.timeline.pending.isEmpty)
    }

    @Test("ends at the limit even if a call hangs, and settles what the interrupted call says")
    func outOfTime() {
        let scene = Scene { message, world in
            do {
                try await world.sleep(for: .hours(5))
                return .sent(reference: nil)
            } catch {
                return .unknown(cause: SendCause(code: "cancelled", message: "interrupted"))
            }
        }
        scene.run()
        scene.schedule([scene.push("one")])
        scene.world.run(for: .seconds(1))
        scene.dispatcher.stop(within: .seconds(30))
        scene.world.run(for: .seconds(29))
        #expect(!scene.hasEnded)
        scene.world.run(for: .seconds(2))
        #expect(scene.hasEnded)
        #expect(scene.recorder.ends == ["one": [.unknown]])
        #expect(scene.timeline.pending.isEmpty)
    }

    @Test("with nothing under way is immediate, also before the run has begun")
    func idle() {
        let scene = Scene()
        scene.dispatcher.stop(within: .seconds(30))
        scene.run()
        scene.world.run(for: .zero)
        #expect(scene.hasEnded)
        #expect(scene.timeline.claimCalls == 0)
    }

    @Test("by cancellation settles what was sent, so that nothing is sent again", arguments: 1...20)
    func cancelled(seed: UInt64) {
        let scene = Scene(seed: seed) { message, world in
            do {
                try await world.sleep(for: .milliseconds(Int64(message.body.count) * 100))
                return .sent(reference: nil)
            } catch {
                return .unknown(cause: SendCause(code: "cancelled", message: "interrupted"))
            }
        }
        scene.limits["a"] = AccountLimit(concurrency: 7)
        scene.run()
        scene.schedule((0..<40).map { scene.push(String(repeating: "x", count: $0 + 1)) })
        scene.world.run(for: .milliseconds(Int64(seed) * 150))
        scene.cancel()
        scene.world.run(for: .zero)
        #expect(scene.hasEnded)
        #expect(scene.timeline.state.withLock { $0.stale } == 0)
        let next = scene.successor()
        Task(executorPreference: scene.world) { try await next.run() }
        scene.world.run(for: .minutes(30))
        #expect(scene.channel.deliveries.count == 40)
        #expect(Set(scene.channel.ids).count == 40)
        #expect(scene.timeline.pending.isEmpty)
    }

    @Test("waits for the records within the limit, and gives up after it")
    func brokenRecords() {
        let scene = Scene()
        scene.recorder.state.withLock { $0.isBroken = true }
        scene.run()
        scene.schedule([scene.push("one")])
        scene.world.run(for: .seconds(5))
        scene.dispatcher.stop(within: .seconds(20))
        scene.world.run(for: .seconds(19))
        #expect(!scene.hasEnded)
        scene.world.run(for: .seconds(2))
        #expect(scene.hasEnded)
        #expect(scene.timeline.pending.isEmpty)
    }
}
