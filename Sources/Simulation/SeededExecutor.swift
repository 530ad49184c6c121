package import BelfryCore
import Synchronization

/// Runs every job of a task tree on the calling thread, in an order that a seed decides, with a clock that jumps to the next deadline
/// when nothing is ready: hours pass in milliseconds, and a failing seed can be repeated.
///
///     let world = SeededExecutor(seed: 42)
///     Task(executorPreference: world) { await program(clock: world) }
///     world.run(for: .hours(3))
///
/// Default actors, `async let` and task groups follow the preference (SE-0417). What escapes: `Task {}` and `Task.detached` inside the
/// tree, actors with executors of their own, event loops, the real `Task.sleep`.
package final class SeededExecutor: TaskExecutor, WallClock {
    private let state: Mutex<State>

    package init(seed: UInt64, now: Timestamp = Timestamp(milliseconds: 1_700_000_000_000)) {
        state = Mutex(State(random: SplitMix64(seed: seed), wall: now.milliseconds))
    }

    package func now() -> Timestamp { state.withLock { Timestamp(milliseconds: $0.wall) } }

    package func steadyMilliseconds() -> Int64 { state.withLock { $0.steady } }

    /// How many jobs have run.
    package var steps: Int { state.withLock { $0.steps } }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        state.withLock { $0.ready.append(job) }
    }

    /// Sets the wall clock, forwards or back, while no time passes.
    package func set(_ time: Timestamp) { state.withLock { $0.wall = time.milliseconds } }

    /// Runs what is ready and lets so much time pass; everything that can happen by then has happened. Not to be called from inside.
    package func run(for span: Duration) {
        let end = steadyMilliseconds() + span.milliseconds
        while true {
            switch state.withLock({ $0.step(until: end) }) {
            case .run(let job): job.runSynchronously(on: asUnownedTaskExecutor())
            case .wake(let sleepers):
                for sleeper in sleepers { sleeper.wake() }
            case .over: return
            }
        }
    }

    package func sleep(until deadline: Timestamp) async throws(CancellationError) {
        try await state.sleep { _ in .wall(deadline.milliseconds) }
    }

    package func sleep(for duration: Duration) async throws(CancellationError) {
        try await state.sleep {
            .steady($0.steady.addingReportingOverflow(duration.milliseconds).partialValue)
        }
    }
}

extension SeededExecutor {
    /// When a sleeper wakes: by the wall clock, which may be set, or after a span. Milliseconds.
    private enum Deadline: Sendable {
        case wall(Int64)
        case steady(Int64)
    }

    private enum Step {
        case run(UnownedJob)
        case wake([Sleepers<Deadline>.Sleeper])
        case over
    }

    private struct State: SleepState {
        var random: SplitMix64
        var wall: Int64
        var steady: Int64 = 0
        var ready: [UnownedJob] = []
        var sleepers = Sleepers<Deadline>()
        var steps = 0

        func isDue(_ deadline: Deadline) -> Bool { rest(deadline) <= 0 }

        func rest(_ deadline: Deadline) -> Int64 {
            let (rest, overflow) =
                switch deadline {
                case .wall(let time): time.subtractingReportingOverflow(wall)
                case .steady(let time): time.subtractingReportingOverflow(steady)
                }
            return overflow ? .max : rest
        }

        mutating func step(until end: Int64) -> Step {
            if !ready.isEmpty {
                steps += 1
                return .run(ready.remove(at: Int.random(in: ready.indices, using: &random)))
            }
            let wait = sleepers.waiting.map { rest($0.deadline) }.min() ?? Int64.max
            guard wait <= end - steady else {
                pass(end - steady)
                return .over
            }
            pass(wait)
            let now = self
            return .wake(sleepers.takeDue { now.isDue($0) })
        }

        private mutating func pass(_ milliseconds: Int64) {
            wall += max(0, milliseconds)
            steady += max(0, milliseconds)
        }
    }
}
