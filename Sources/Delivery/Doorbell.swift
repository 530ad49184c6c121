import Synchronization

/// Wakes one waiting task. Ringing twice before anybody waits is ringing once; ringing never blocks.
///
/// At most one task waits at a time.
final class Doorbell: Sendable {
    private enum State {
        case quiet
        case rung
        case awaited(CheckedContinuation<Bool, Never>)
    }

    private let state = Mutex(State.quiet)

    func ring() {
        let waiter = state.withLock { state -> CheckedContinuation<Bool, Never>? in
            if case .awaited(let waiter) = state {
                state = .quiet
                return waiter
            }
            state = .rung
            return nil
        }
        waiter?.resume(returning: true)
    }

    /// Returns once the bell has rung since the last return.
    func wait() async throws(CancellationError) {
        let rung = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer: Bool? = state.withLock { state in
                    // Looked at under the lock: the handler below either runs before, and this sees it, or finds the waiter.
                    if Task.isCancelled { return false }
                    switch state {
                    case .rung:
                        state = .quiet
                        return true
                    case .quiet:
                        state = .awaited(continuation)
                        return nil
                    case .awaited: preconditionFailure("two tasks wait on one doorbell")
                    }
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            let waiter = state.withLock { state -> CheckedContinuation<Bool, Never>? in
                guard case .awaited(let waiter) = state else { return nil }
                state = .quiet
                return waiter
            }
            waiter?.resume(returning: false)
        }
        if !rung { throw CancellationError() }
    }
}

/// Waits for whichever of two waits ends first, and cancels the other.
///
/// - Throws: `CancellationError` when the caller is cancelled.
func firstOf(
    _ one: @escaping @Sendable () async throws(CancellationError) -> Void,
    _ other: @escaping @Sendable () async throws(CancellationError) -> Void
) async throws(CancellationError) {
    await withTaskGroup(of: Void.self) { group in
        // Each ends early only when it lost the race or the caller is cancelled; the latter is looked at below.
        group.addTask { do { try await one() } catch {} }
        group.addTask { do { try await other() } catch {} }
        await group.next()
        group.cancelAll()
    }
    if Task.isCancelled { throw CancellationError() }
}
