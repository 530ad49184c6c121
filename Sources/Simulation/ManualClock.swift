package import BelfryCore
import Synchronization

/// A clock that stands still until a test moves it.
package final class ManualClock: WallClock {
    private struct Sleeper {
        var id: Int
        var deadline: Timestamp
        var continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var now: Timestamp
        var steady: Int64 = 0
        var nextID = 0
        var sleepers: [Sleeper] = []
        var cancelled: Set<Int> = []
    }

    private let state: Mutex<State>

    package init(_ now: Timestamp = Timestamp(milliseconds: 1_700_000_000_000)) {
        state = Mutex(State(now: now))
    }

    package func now() -> Timestamp { state.withLock { $0.now } }

    package func steadyMilliseconds() -> Int64 { state.withLock { $0.steady } }

    /// How many tasks wait for a later time.
    package var sleepers: Int { state.withLock { $0.sleepers.count } }

    /// The earliest time that a task waits for.
    package var nextDeadline: Timestamp? { state.withLock { $0.sleepers.map(\.deadline).min() } }

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
            let due = state.sleepers.filter { $0.deadline <= time }
            state.sleepers.removeAll { $0.deadline <= time }
            return due
        }
        for sleeper in due { sleeper.continuation.resume(returning: true) }
    }

    package func advance(by duration: Duration) { set(now() + duration) }

    package func sleep(until deadline: Timestamp) async throws(CancellationError) {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        let woken = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer: Bool? = state.withLock { state in
                    if state.cancelled.remove(id) != nil { return false }
                    if state.now >= deadline { return true }
                    state.sleepers.append(
                        Sleeper(id: id, deadline: deadline, continuation: continuation)
                    )
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            let sleeper = state.withLock { state -> Sleeper? in
                guard let index = state.sleepers.firstIndex(where: { $0.id == id }) else {
                    state.cancelled.insert(id)
                    return nil
                }
                return state.sleepers.remove(at: index)
            }
            sleeper?.continuation.resume(returning: false)
        }
        if !woken { throw CancellationError() }
    }
}
