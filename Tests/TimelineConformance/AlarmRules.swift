import BelfryCore
import BelfrySimulation

extension TimelineRule {
    /// An alarm is only a hint: whatever it says, a worker with a sweep keeps T2, T3, T4 and T5, and is late by the sweep at most.
    static let alarms: [TimelineRule] =
        [
            TimelineRule("T12", "a worker with a sweep keeps the promises with the alarm's help") {
                it in
                try await WorkerLife(it, seed: 0).run(with: it.alarm)
            }
        ]
        + (1...12).map { (seed: UInt64) in
            TimelineRule("T12", "a lying alarm only makes a worker late, seed \(seed)") { it in
                let alarm = LyingAlarm(it.alarm, clock: it.clock, seed: seed)
                try await WorkerLife(it, seed: seed).run(with: alarm)
            }
        }
}
