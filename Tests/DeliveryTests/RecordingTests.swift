import BelfryCore
import BelfrySimulation
import Synchronization
import Testing

@testable import BelfryDelivery

@Suite("Settling and recording")
struct RecordingTests {
    private static let cause = SendCause(code: "http_400", message: "no")

    @Test("a dead letter is recorded whole before it is settled")
    func deadFirst() {
        let pendingAtRecord = Mutex<[Bool]>([])
        let timeline = Mutex<ModelTimeline?>(nil)
        let recorder = ModelRecorder { events in
            for event in events where event.change == .ended(.dead) {
                let isPending = timeline.withLock { $0?.pending[event.claim.push.id] != nil }
                pendingAtRecord.withLock { $0.append(isPending) }
            }
        }
        let scene = Scene(recorder: recorder) { _, _ in .refused(.dead, cause: Self.cause) }
        timeline.withLock { $0 = scene.timeline }
        scene.run()
        scene.schedule((0..<10).map { scene.push("\($0)") })
        scene.world.run(for: .seconds(1))
        #expect(pendingAtRecord.withLock { $0 } == Array(repeating: true, count: 10))
        #expect(scene.timeline.pending.isEmpty)
    }

    @Test(
        "while records fail, a dead letter is kept and not tried again; the sent ones are not sent again"
    )
    func brokenRecorder() {
        let scene = Scene { message, _ in
            message.id.text.hasPrefix("d")
                ? .refused(.dead, cause: Self.cause) : .sent(reference: nil)
        }
        scene.recorder.state.withLock { $0.isBroken = true }
        scene.run()
        scene.schedule((0..<20).map { scene.push($0 % 2 == 0 ? "d\($0)" : "s\($0)") })
        scene.world.run(for: .minutes(30))
        #expect(scene.channel.deliveries.count == 20)
        #expect(scene.timeline.pending.count == 10)
        #expect(scene.recorder.events.isEmpty)
        #expect(scene.recorder.alerts.count == 1)
        scene.recorder.state.withLock { $0.isBroken = false }
        scene.world.run(for: .minutes(1))
        #expect(scene.channel.deliveries.count == 20)
        #expect(scene.timeline.pending.isEmpty)
        #expect(scene.recorder.ends.count == 20)
        #expect(scene.recorder.ends.values.allSatisfy { $0.count == 1 })
        #expect(scene.recorder.alerts.last == .recordsRecovered)
    }

    @Test("when too many events wait, claiming pauses, and goes on when the records are back")
    func backlog() {
        var settings = DispatcherSettings()
        settings.recordBacklog = 50
        settings.claimBatch = 20
        settings.capacity = 100
        let scene = Scene(settings: settings)
        scene.recorder.state.withLock { $0.isBroken = true }
        scene.run()
        scene.schedule((0..<1_000).map { scene.push("\($0)") })
        scene.world.run(for: .hours(1))
        #expect((50...150).contains(scene.channel.deliveries.count))
        scene.recorder.state.withLock { $0.isBroken = false }
        scene.world.run(for: .minutes(1))
        #expect(scene.channel.deliveries.count == 1_000)
        #expect(Set(scene.channel.ids).count == 1_000)
        #expect(scene.recorder.ends.count == 1_000)
        #expect(scene.recorder.ends.values.allSatisfy { $0 == [.sent] })
    }

    @Test("an event that the records refuse for good does not hold up the others")
    func poison() {
        let scene = Scene()
        scene.recorder.state.withLock { $0.refused = ["13"] }
        scene.run()
        scene.schedule((0..<100).map { scene.push("\($0)", after: .milliseconds($0)) })
        scene.world.run(for: .minutes(10))
        #expect(scene.recorder.events.count == 99)
        scene.recorder.state.withLock { $0.refused = [] }
        scene.world.run(for: .minutes(10))
        #expect(scene.recorder.ends.count == 100)
    }

    @Test(
        "a chain of steps runs to its end, each step scheduled by the settlement of the one before"
    )
    func chain() {
        let sequel = ScriptedSequel { claim, outcome, time in
            guard outcome == .sent, let step = Int(claim.push.id.text), step < 5 else { return [] }
            var next = claim.push
            next.id = PushID("\(step + 1)")
            next.due = time + .minutes(10)
            return [next]
        }
        let scene = Scene(sequel: sequel)
        scene.run()
        scene.schedule([scene.push("1")])
        scene.world.run(for: .hours(1))
        #expect(scene.channel.ids == ["1", "2", "3", "4", "5"])
        let settlements = scene.timeline.settlements
        #expect(
            settlements.map { $0.successors.map(\.id.text) } == [["2"], ["3"], ["4"], ["5"], []]
        )
        #expect(scene.recorder.events.map { $0.successors.count } == [1, 1, 1, 1, 0])
    }

    @Test("successors that the timeline refuses are dropped, and the others are settled")
    func invalidSuccessor() {
        let sequel = ScriptedSequel { claim, _, _ in
            var next = claim.push
            next.id = "next"
            next.recipient.person = "somebody else"
            return claim.push.id == "bad" ? [next] : []
        }
        let scene = Scene(sequel: sequel)
        scene.run()
        scene.schedule([scene.push("good"), scene.push("bad")])
        scene.world.run(for: .minutes(10))
        #expect(scene.timeline.pending.isEmpty)
        #expect(scene.recorder.ends == ["good": [.sent], "bad": [.sent]])
        #expect(scene.recorder.events.allSatisfy { $0.successors.isEmpty })
    }

    @Test("a settlement that fails is tried again, and nothing is sent twice meanwhile")
    func settleFails() {
        let scene = Scene()
        scene.timeline.state.withLock { $0.settleFailures = 40 }
        scene.run()
        scene.schedule((0..<10).map { scene.push("\($0)") })
        scene.world.run(for: .minutes(10))
        #expect(scene.channel.deliveries.count == 10)
        #expect(scene.timeline.pending.isEmpty)
        #expect(scene.dispatcher.snapshot().timelineFailures == 40)
    }

    @Test("a claim that fails is tried again; a closed timeline ends the run with its error")
    func claimFails() {
        let scene = Scene()
        scene.timeline.state.withLock { $0.claimFailures = 5 }
        scene.run()
        scene.schedule([scene.push("one")])
        scene.world.run(for: .minutes(1))
        #expect(scene.channel.ids == ["one"])
        scene.timeline.state.withLock {
            $0.claimFailures = 1
            $0.failure = TimelineError(.closed, "shut")
        }
        scene.world.run(for: .minutes(6))
        #expect(scene.hasEnded)
        #expect(scene.failure?.code == .closed)
    }
}
