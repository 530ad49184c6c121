import Synchronization

/// Where an engine writes down when each of its lanes is next worth a look, and where those who wait read the earliest of it.
package final class AlarmBoard: Sendable {
    private struct Waiter {
        var id: Int
        /// Woken by anything earlier.
        var nextDue: Timestamp?
        var continuation: CheckedContinuation<Void, Never>
    }

    private struct State {
        /// Of each lane.
        var lanes: [Timestamp?]
        /// The earliest.
        var nextDue: Timestamp?
        /// Lanes that have not been closed.
        var open: Int
        var nextID = 0
        var waiters: [Waiter] = []
        /// Cancelled before they began to wait.
        var cancelled: Set<Int> = []
    }

    private let state: Mutex<State>

    package init(lanes: Int = 1) {
        state = Mutex(State(lanes: Array(repeating: nil, count: lanes), open: lanes))
    }

    package func publish(_ nextDue: Timestamp?, of lane: Int = 0) {
        let woken = state.withLock { state -> [Waiter] in
            guard state.lanes[lane] != nextDue else { return [] }
            state.lanes[lane] = nextDue
            state.nextDue = state.lanes.lazy.compactMap { $0 }.min()
            guard !state.waiters.isEmpty else { return [] }
            let earliest = state.nextDue
            let woken = state.waiters.filter { Self.isEarlier(earliest, than: $0.nextDue) }
            state.waiters.removeAll { Self.isEarlier(earliest, than: $0.nextDue) }
            return woken
        }
        for waiter in woken { waiter.continuation.resume() }
    }

    /// Lanes that have something due by then. A lane has written it down before it answers, so that only a wall clock that has jumped over the end of
    /// a lease, or a call under way, makes this miss one.
    package func lanes(dueBy time: Timestamp) -> [Int] {
        state.withLock { state in
            state.lanes.indices.filter { state.lanes[$0].map { $0 <= time } ?? false }
        }
    }

    /// One of the lanes has nothing to say any more.
    package func close() {
        let woken = state.withLock { state -> [Waiter] in
            state.open -= 1
            guard state.open == 0 else { return [] }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in woken { waiter.continuation.resume() }
    }

    /// Returns when something earlier than `nextDue` is pending, or the task is cancelled. A closed board keeps nobody waiting who
    /// was waiting when it was closed; whoever comes later waits until cancelled, because there is nothing to look at.
    package func wait(until nextDue: Timestamp?) async {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if state.cancelled.remove(id) != nil { return true }
                    if state.open > 0, Self.isEarlier(state.nextDue, than: nextDue) { return true }
                    let waiter = Waiter(id: id, nextDue: nextDue, continuation: continuation)
                    state.waiters.append(waiter)
                    return false
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { state -> Waiter? in
                guard let index = state.waiters.firstIndex(where: { $0.id == id }) else {
                    state.cancelled.insert(id)
                    return nil
                }
                return state.waiters.remove(at: index)
            }
            waiter?.continuation.resume()
        }
        // A cancel that came between the answer and the end of the handler left its mark.
        state.withLock { _ = $0.cancelled.remove(id) }
    }

    private static func isEarlier(_ a: Timestamp?, than b: Timestamp?) -> Bool {
        guard let a else { return false }
        guard let b else { return true }
        return a < b
    }
}
