package import BelfryCore
import Synchronization

/// A clock that stands still until a test moves it.
package final class ManualClock: WallClock {
    private struct State: SleepState {
        var now: Timestamp
        var steady: Int64 = 0
        var sleepers = Sleepers<Timestamp>()

        func isDue(_ deadline: Timestamp) -> Bool { now >= deadline }
    }

    private let state: Mutex<State>

    package init(_ now: Timestamp = Timestamp(milliseconds: 1_700_000_000_000)) {
        state = Mutex(State(now: now))
    }

    package func now() -> Timestamp { state.withLock { $0.now } }

    package func steadyMilliseconds() -> Int64 { state.withLock { $0.steady } }

    /// How many tasks wait for a later time.
    package var sleepers: Int { state.withLock { $0.sleepers.waiting.count } }

    /// The earliest time that a task waits for.
    package var nextDeadline: Timestamp? {
        state.withLock { $0.sleepers.waiting.map(\.deadline).min() }
    }

    /// Moves to `time`, forwards or back, and wakes whoever waited for it. Forwards, time passes; back, the clock is set back.
    package func set(_ time: Timestamp) {
        move(to: time) { max(0, ($0 - $1).milliseconds) }
    }

    /// The wall clock is set to another time, while no time passes.
    package func jump(to time: Timestamp) {
        move(to: time) { _, _ in 0 }
    }

    private func move(to time: Timestamp, passing: (Timestamp, Timestamp) -> Int64) {
        let due = state.withLock { state in
            state.steady += passing(time, state.now)
            state.now = time
            return state.sleepers.takeDue { $0 <= time }
        }
        for sleeper in due { sleeper.wake() }
    }

    package func advance(by duration: Duration) { set(now() + duration) }

    package func sleep(until deadline: Timestamp) async throws(CancellationError) {
        try await state.sleep { _ in deadline }
    }
}
