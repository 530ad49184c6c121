package import BelfryCore
import Synchronization

/// Runs like the machine's clock, and can be told to jump ahead: long delays pass at once, while lateness measured between jumps is real.
package final class JumpingClock: WallClock {
    private struct State {
        var offset: Duration = .zero
        var nextID = 0
        var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
        var cancelled: Set<Int> = []
    }

    private let start: Timestamp
    private let started = ContinuousClock.now
    private let state = Mutex(State())

    /// - Parameter start: what the clock shows now.
    package init(start: Timestamp = SystemClock().now()) { self.start = start }

    package func now() -> Timestamp {
        start + (ContinuousClock.now - started) + state.withLock { $0.offset }
    }

    /// Time that jumps do not touch: a claim held across a jump keeps its lease.
    package func steadyMilliseconds() -> Int64 { (ContinuousClock.now - started).milliseconds }

    /// Jumps ahead to `time` and wakes whoever waits, to look again; never goes back.
    package func jump(to time: Timestamp) {
        let span = time - now()
        guard span > .zero else { return }
        let waiting = state.withLock { state in
            state.offset += span
            let waiting = state.waiting
            state.waiting = [:]
            return waiting
        }
        for continuation in waiting.values { continuation.resume() }
    }

    package func sleep(until deadline: Timestamp) async throws(CancellationError) {
        while true {
            if Task.isCancelled { throw CancellationError() }
            let offset = state.withLock { $0.offset }
            let rest = deadline - now()
            guard rest > .zero else { return }
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    // Ends early only when the race is decided or the caller is cancelled; both are looked at above.
                    try? await Task.sleep(for: min(rest, Duration.seconds(60)))
                }
                group.addTask { await self.jumped(since: offset) }
                await group.next()
                group.cancelAll()
            }
        }
    }

    /// Returns once the offset is no longer the one that was seen, or when cancelled.
    private func jumped(since offset: Duration) async {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let gone = state.withLock { state in
                    if state.cancelled.remove(id) != nil || state.offset != offset { return true }
                    state.waiting[id] = continuation
                    return false
                }
                if gone { continuation.resume() }
            }
            state.withLock { _ = $0.cancelled.remove(id) }
        } onCancel: {
            let continuation = state.withLock { state in
                let continuation = state.waiting.removeValue(forKey: id)
                if continuation == nil { state.cancelled.insert(id) }
                return continuation
            }
            continuation?.resume()
        }
    }
}
