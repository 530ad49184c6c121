import Synchronization

/// One write that waits for its turn.
struct WaitingWrite: Sendable {
    /// Does the work; what it returns tells the caller, and is called after the commit.
    let run: @Sendable (any SQLSession) throws(RecordsError) -> @Sendable () -> Void
    /// Tells the caller that the work, or the commit, failed.
    let fail: @Sendable (RecordsError) -> Void
}

/// The writes that wait, and whether somebody is emptying the queue.
///
/// Group commit without timers: whoever empties takes all that waits, commits it as one transaction, and looks again. So a lone write
/// is committed at once, and under load the group is what arrived during the commit before.
final class WriteQueue: Sendable {
    private struct State {
        var waiting: [WaitingWrite] = []
        var emptying = false
        var closed = false
        var whenEmpty: [CheckedContinuation<Void, Never>] = []
    }

    enum Admission {
        /// Somebody empties the queue already.
        case queued
        /// The caller must see to it that the queue is emptied.
        case first
        case refused(RecordsError)
    }

    /// More than this is not a burst but a writer that cannot keep up; memory is bounded by saying so.
    static let limit = 65_536
    /// Commits stay short enough that callers behind them wait milliseconds.
    static let group = 1024

    private let state = Mutex(State())

    func add(_ write: WaitingWrite) -> Admission {
        state.withLock { state in
            if state.closed { return .refused(RecordsError(.closed, "the records are closed")) }
            if state.waiting.count >= Self.limit {
                return .refused(RecordsError(.full, "\(Self.limit) writes are waiting already"))
            }
            state.waiting.append(write)
            if state.emptying { return .queued }
            state.emptying = true
            return .first
        }
    }

    /// The next group; empty, and nobody is emptying any more, when nothing waits.
    func next() -> [WaitingWrite] {
        let (group, idle) = state.withLock { state in
            let group = Array(state.waiting.prefix(Self.group))
            state.waiting.removeFirst(group.count)
            guard group.isEmpty else { return (group, [CheckedContinuation<Void, Never>]()) }
            state.emptying = false
            defer { state.whenEmpty = [] }
            return (group, state.whenEmpty)
        }
        for waiter in idle { waiter.resume() }
        return group
    }

    var count: Int { state.withLock { $0.waiting.count } }
    var isClosed: Bool { state.withLock { $0.closed } }

    /// Takes no more writes, and returns when those taken are done.
    ///
    /// - Returns: `false` if it was closed before.
    func close() async -> Bool {
        let first = state.withLock { state in
            defer { state.closed = true }
            return !state.closed
        }
        await withCheckedContinuation { continuation in
            let idle = state.withLock { state in
                if state.emptying { state.whenEmpty.append(continuation) }
                return !state.emptying
            }
            if idle { continuation.resume() }
        }
        return first
    }
}
