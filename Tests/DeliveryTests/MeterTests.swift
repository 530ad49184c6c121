import BelfryCore
import BelfrySimulation
import Testing

@testable import BelfryDelivery

@Suite("The meters")
struct MeterTests {
    @Test("count what was sent, failed, retried and held, per account and in all")
    func counts() {
        let scene = Scene { message, _ in
            switch message.id.text {
            case "refused": .refused(.refused43101, cause: SendCause(code: "43101", message: ""))
            case "again" where message.attempt == 0:
                .retry(after: nil, cause: SendCause(code: "http_500", message: ""))
            default: .sent(reference: nil)
            }
        }
        scene.limits["b"] = AccountLimit(quietUntil: scene.start + .seconds(10))
        scene.run()
        scene.schedule([
            scene.push("plain"), scene.push("refused"), scene.push("again"),
            scene.push("quiet", account: "b"),
        ])
        scene.world.run(for: .seconds(30))
        let snapshot = scene.dispatcher.snapshot()
        #expect(snapshot.outcomes == [.sent: 3, .refused43101: 1])
        #expect(snapshot.waits == [.retrying: 1, .heldQuiet: 1])
        #expect(snapshot.handedOver == 5)
        #expect(snapshot.sentLastMinute == 3)
        #expect(snapshot.failedLastMinute == 2)
        #expect(snapshot.inFlight == 0 && snapshot.sending == 0 && snapshot.unrecorded == 0)
        #expect(snapshot.accounts["a"]?.sent == 2)
        #expect(snapshot.accounts["a"]?.failed == 1)
        #expect(snapshot.accounts["a"]?.retried == 1)
        #expect(snapshot.accounts["b"]?.held == 1)
        #expect(scene.dispatcher.meters.tally(of: "b").sent == 1)
        scene.world.run(for: .minutes(2))
        #expect(scene.dispatcher.snapshot().sentLastMinute == 0)
    }

    @Test("lateness is from the time asked for, and what holds took of it is told apart")
    func lateness() {
        let scene = Scene()
        scene.limits["b"] = AccountLimit(quietUntil: scene.start + .hours(9))
        scene.schedule((0..<99).map { scene.push("\($0)", after: .seconds(4)) })
        scene.schedule([scene.push("late"), scene.push("held", account: "b")])
        scene.world.run(for: .seconds(2))
        scene.run()
        scene.world.run(for: .hours(10))
        let lateness = scene.dispatcher.snapshot().lateness
        #expect(lateness.count == 101)
        #expect(lateness.p50 == 0)
        #expect((32_000_000...32_600_000).contains(lateness.max))
        #expect(scene.dispatcher.snapshot().recentLateness.count == 0)
    }

    @Test("lateness tells what was sent, at the try that succeeded, and nothing of tries in vain")
    func lastTry() {
        let scene = Scene { message, _ in
            let cause = SendCause(code: "http_500", message: "")
            return switch message.id.text {
            case "third" where message.attempt < 2: .retry(after: .seconds(30), cause: cause)
            case "refused": .refused(.refused43101, cause: cause)
            case "never": .retry(after: .seconds(1), cause: cause)
            default: .sent(reference: nil)
            }
        }
        scene.run()
        scene.schedule([
            scene.push("first"), scene.push("third"), scene.push("refused"), scene.push("never"),
        ])
        scene.world.run(for: .seconds(20))
        #expect(scene.dispatcher.snapshot().lateness.count == 1, "one was sent so far")
        scene.world.run(for: .hours(2))
        let snapshot = scene.dispatcher.snapshot()
        #expect(snapshot.sent == 2)
        #expect(snapshot.handedOver > 5)
        #expect(snapshot.lateness.count == 2)
        #expect(snapshot.lateness.p50 == 0)
        #expect(snapshot.lateness.max >= 59_000, "two pauses of half a minute")
    }

    @Test("say how long held pushes have been waiting, and for what, until they go")
    func held() {
        let scene = Scene()
        scene.limits["a"] = AccountLimit(quietUntil: scene.start + .hours(2))
        let cause = SendCause(code: "stopped", message: "by hand")
        scene.run()
        scene.dispatcher.pause("b", cause: cause)
        scene.schedule([scene.push("quiet"), scene.push("paused", account: "b")])
        scene.world.run(for: .hours(1))
        var snapshot = scene.dispatcher.snapshot()
        #expect(snapshot.oldestOverdue == .hours(1))
        #expect(snapshot.oldestHeld == [.heldQuiet: .hours(1), .heldPaused: .hours(1)])
        scene.dispatcher.resume("b")
        scene.world.run(for: .minutes(2))
        snapshot = scene.dispatcher.snapshot()
        #expect(snapshot.oldestHeld == [.heldQuiet: .minutes(62)])
        #expect(snapshot.recentLateness.max >= 3_600_000 && snapshot.recentHeld.max >= 3_590_000)
        scene.world.run(for: .hours(1))
        snapshot = scene.dispatcher.snapshot()
        #expect(snapshot.sent == 2)
        #expect(snapshot.oldestOverdue == nil && snapshot.oldestHeld.isEmpty)
    }

    @Test("say how long the oldest push has been overdue")
    func overdue() {
        let scene = Scene()
        scene.limits["a"] = AccountLimit(rate: .init(perSecond: 0.1, burst: 1))
        scene.run()
        scene.schedule([scene.push("one"), scene.push("two")])
        #expect(scene.dispatcher.snapshot().waiting == 1)
        scene.world.run(for: .seconds(7))
        #expect(scene.dispatcher.snapshot().oldestOverdue == .seconds(7))
        scene.world.run(for: .seconds(60))
        #expect(scene.dispatcher.snapshot().oldestOverdue == nil)
    }
}
