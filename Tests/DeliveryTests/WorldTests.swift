import BelfryCore
import BelfrySimulation
import Synchronization
import Testing

@testable import BelfryDelivery

/// Everything goes wrong at once, in an order that a seed decides: the promises hold all the same.
@Suite("In a hostile world")
struct WorldTests {
    /// What happened, as the world outside saw it.
    private struct Log: Sendable {
        /// Calls that the other side accepted, by id and version.
        var accepted: [String: Int] = [:]
        /// Calls of which it can have accepted some and gave no answer.
        var unanswered: [String: Int] = [:]
        var early = 0
    }

    @Test("nothing is lost, early, sent twice, or sent after an honest cancel", arguments: 1...60)
    func promises(seed: UInt64) {
        let random = Box(SplitMix64(seed: seed &* 7919))
        let log = Box(Log())
        func draw(_ range: Range<Int>) -> Int {
            random.withLock { Int.random(in: range, using: &$0) }
        }
        let recorder = ModelRecorder()
        let scene = Scene(
            seed: seed,
            alarm: [.honest, .random, .silent, .raving][Int(seed % 4)],
            recorder: recorder,
            settings: small
        ) { message, world in
            let chance = random.withLock { Int.random(in: 0..<20, using: &$0) }
            if world.now() < message.due { log.withLock { $0.early += 1 } }
            if chance < 4 {
                try? await world.sleep(for: .milliseconds(Int64(chance) * 9_000))
            }
            switch chance {
            case 5:
                return .retry(after: nil, cause: SendCause(code: "http_429", message: ""))
            case 6, 7:
                return .unreachable(after: nil, cause: SendCause(code: "http_503", message: ""))
            case 8: return .refused(.refused43101, cause: SendCause(code: "43101", message: ""))
            case 9:
                log.withLock { $0.unanswered[message.id.text, default: 0] += 1 }
                return .unknown(cause: SendCause(code: "timeout", message: ""))
            default:
                log.withLock { $0.accepted[message.id.text, default: 0] += 1 }
                return .sent(reference: nil)
            }
        }
        scene.limits["a1"] = AccountLimit(rate: .init(perSecond: 3, burst: 2), concurrency: 2)
        scene.limits["a2"] = AccountLimit(concurrency: 3)
        scene.run()
        let count = 300
        scene.schedule(
            (0..<count).map { index in
                scene.push(
                    "\(index)",
                    account: "a\(index % 4)",
                    after: .milliseconds(Int64(draw(0..<60_000))),
                    priority: Priority.allCases[index % 4]
                )
            }
        )
        var cancelled: Set<String> = []
        for round in 0..<40 {
            scene.world.run(for: .milliseconds(Int64(draw(0..<4_000))))
            switch draw(0..<8) {
            case 0: recorder.state.withLock { $0.isBroken.toggle() }
            case 1: scene.timeline.state.withLock { $0.settleFailures = 3 }
            case 2: scene.timeline.state.withLock { $0.claimFailures = 3 }
            case 3:
                scene.dispatcher.pause("a\(round % 4)", cause: SendCause(code: "p", message: ""))
            case 4: for account in 0..<4 { scene.dispatcher.resume("a\(account)") }
            default:
                let id = "\(draw(0..<count))"
                if cancel(id, in: scene) == .cancelled { cancelled.insert(id) }
                let sentBefore = log.withLock { $0.accepted[id] ?? 0 }
                #expect(!cancelled.contains(id) || sentBefore == 0)
            }
        }
        recorder.state.withLock { $0.isBroken = false }
        for account in 0..<4 { scene.dispatcher.resume("a\(account)") }
        for _ in 0..<72 where !scene.timeline.pending.isEmpty { scene.world.run(for: .minutes(5)) }
        scene.world.run(for: .minutes(5))

        let seen = log.withLock { $0 }
        #expect(seen.early == 0)
        #expect(scene.timeline.pending.isEmpty)
        #expect(scene.timeline.state.withLock { $0.stale } == 0)
        #expect(scene.dispatcher.snapshot().inFlight == 0)
        let ends = recorder.ends
        for index in 0..<count {
            let id = "\(index)"
            let accepted = seen.accepted[id] ?? 0
            if cancelled.contains(id) {
                #expect(accepted == 0)
                continue
            }
            let end = ends[PushID(id)] ?? []
            #expect(end.count == 1, "\(id) ended as \(end)")
            #expect(accepted == (end == [.sent] ? 1 : 0), "\(id) \(end)")
            if end == [.unknown] { #expect(seen.unanswered[id] == 1) }
        }
    }

    private var small: DispatcherSettings {
        var settings = DispatcherSettings()
        settings.claimBatch = 20
        settings.capacity = 80
        settings.shipments = 8
        settings.shipmentMessages = 5
        settings.recordBacklog = 60
        settings.lease = .seconds(20)
        settings.settleBatch = 30
        settings.recordBatch = 25
        return settings
    }

    private func cancel(_ id: String, in scene: Scene) -> CancelOutcome? {
        let answer = Answer()
        let timeline = scene.timeline
        scene.act {
            let outcomes = try await timeline.cancel([PushID(id)])
            answer.outcome.withLock { $0 = outcomes[0] }
        }
        return answer.outcome.withLock { $0 }
    }

    private final class Answer: Sendable {
        let outcome = Mutex<CancelOutcome?>(nil)
    }
}
