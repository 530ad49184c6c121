import Synchronization

/// Where an engine writes down when it is next worth a look, and where those who wait read it.
package final class AlarmBoard: Sendable {
    private struct Waiter {
        var id: Int
        /// Woken by anything earlier.
        var nextDue: Timestamp?
        var continuation: CheckedContinuation<Void, Never>
    }

    private struct State {
        var nextDue: Timestamp?
        var isClosed = false
        var nextID = 0
        var waiters: [Waiter] = []
        /// Cancelled before they began to wait.
        var cancelled: Set<Int> = []
    }

    private let state = Mutex(State())

    package init() {}

    package func publish(_ nextDue: Timestamp?) {
        let woken = state.withLock { state -> [Waiter] in
            guard state.nextDue != nextDue else { return [] }
            state.nextDue = nextDue
            guard !state.waiters.isEmpty else { return [] }
            let woken = state.waiters.filter { Self.isEarlier(nextDue, than: $0.nextDue) }
            state.waiters.removeAll { Self.isEarlier(nextDue, than: $0.nextDue) }
            return woken
        }
        for waiter in woken { waiter.continuation.resume() }
    }

    package func close() {
        let woken = state.withLock { state in
            state.isClosed = true
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
                    if !state.isClosed, Self.isEarlier(state.nextDue, than: nextDue) { return true }
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
