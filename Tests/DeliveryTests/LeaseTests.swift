import BelfryCore
import BelfrySimulation
import Synchronization
import Testing

@testable import BelfryDelivery

@Suite("While a push is in flight")
struct LeaseTests {
    private static let cause = SendCause(code: "http_500", message: "no")

    @Test("a call that lasts many leases is not made twice")
    func longCall() {
        let scene = Scene { _, world in
            try? await world.sleep(for: .minutes(9))
            return .sent(reference: nil)
        }
        scene.run()
        scene.schedule([scene.push("one")])
        scene.world.run(for: .hours(1))
        #expect(scene.channel.ids == ["one"])
        #expect(scene.timeline.pending.isEmpty)
        #expect(scene.timeline.state.withLock { $0.stale } == 0)
    }

    @Test("a push that is cancelled while it waits for a token is not sent")
    func cancelledWhileWaiting() {
        let scene = Scene()
        scene.limits["a"] = AccountLimit(rate: .init(perSecond: 0.1, burst: 1))
        scene.run()
        scene.schedule([scene.push("one"), scene.push("two"), scene.push("three")])
        let timeline = scene.timeline
        scene.world.run(for: .seconds(2))
        scene.act {
            let outcomes = try await timeline.cancel(["two"])
            #expect(outcomes == [.inFlight])
        }
        scene.world.run(for: .minutes(5))
        #expect(scene.channel.ids == ["one", "three"])
        #expect(scene.recorder.ends["two"] == [.cancelled])
        #expect(scene.timeline.pending.isEmpty)
    }

    @Test("a push that is replaced while it waits goes out once, in its newest version")
    func replacedWhileWaiting() {
        let scene = Scene()
        scene.limits["a"] = AccountLimit(rate: .init(perSecond: 0.1, burst: 1))
        scene.run()
        scene.schedule([scene.push("one"), scene.push("two")])
        scene.world.run(for: .seconds(2))
        var newer = scene.push("two", after: .minutes(5))
        newer.payload = [1, 2, 3]
        scene.schedule([newer])
        scene.world.run(for: .minutes(10))
        #expect(scene.channel.ids == ["one", "two"])
        #expect(scene.channel.deliveries[1].message.body == [1, 2, 3])
        #expect(scene.recorder.ends["two"] == [.replaced, .sent])
    }

    @Test("a push that is cancelled during a failing call ends as cancelled, without a retry")
    func cancelledWhileFailing() {
        let scene = Scene { _, world in
            try? await world.sleep(for: .seconds(3))
            return .retry(after: nil, cause: Self.cause)
        }
        scene.run()
        scene.schedule([scene.push("one")])
        scene.world.run(for: .seconds(1))
        let timeline = scene.timeline
        scene.act { _ = try await timeline.cancel(["one"]) }
        scene.world.run(for: .hours(1))
        #expect(scene.channel.deliveries.count == 1)
        #expect(scene.recorder.ends == ["one": [.cancelled]])
        #expect(scene.recorder.events.last?.reservation == .released)
    }

    @Test(
        "what follows a push that was cancelled during its call is dropped, and the record says sent"
    )
    func cancelledWhileSending() {
        let sequel = ScriptedSequel { claim, _, time in
            var next = claim.push
            next.id = "next"
            next.due = time
            return claim.push.id == "one" ? [next] : []
        }
        let scene = Scene(sequel: sequel) { _, world in
            try? await world.sleep(for: .seconds(3))
            return .sent(reference: nil)
        }
        scene.run()
        scene.schedule([scene.push("one")])
        scene.world.run(for: .seconds(1))
        let timeline = scene.timeline
        scene.act { _ = try await timeline.cancel(["one"]) }
        scene.world.run(for: .hours(1))
        #expect(scene.channel.ids == ["one"])
        #expect(scene.recorder.ends == ["one": [.sent]])
        #expect(scene.recorder.events.last?.successors == [])
    }

    @Test("a push that expires while it waits for a token is not sent")
    func expiresWhileWaiting() {
        let scene = Scene()
        scene.limits["a"] = AccountLimit(rate: .init(perSecond: 0.1, burst: 1))
        scene.run()
        scene.schedule((0..<3).map { scene.push("\($0)", expires: .seconds(15)) })
        scene.world.run(for: .minutes(5))
        #expect(scene.channel.deliveries.count == 2)
        #expect(scene.recorder.ends.values.filter { $0 == [.expired] }.count == 1)
    }

    @Test(
        "a wall clock that is set back or ahead by an hour loses nothing and doubles nothing",
        arguments: [-1, 1]
    )
    func clockJump(hours: Int64) {
        let scene = Scene { _, world in
            try? await world.sleep(for: .milliseconds(700))
            return .sent(reference: nil)
        }
        scene.limits["a"] = AccountLimit(rate: .init(perSecond: 20, burst: 5))
        scene.run()
        scene.schedule((0..<300).map { scene.push("\($0)", after: .milliseconds($0 * 100)) })
        scene.world.run(for: .seconds(10))
        scene.world.set(scene.world.now() + .hours(hours))
        scene.world.run(for: .hours(3))
        #expect(scene.channel.deliveries.count == 300)
        #expect(Set(scene.channel.ids).count == 300)
        #expect(scene.timeline.pending.isEmpty)
    }
}
