import BelfryCore
import Synchronization

/// The people whose happenings are scheduled and not yet recorded.
///
/// *Schedule first, then record* leaves a moment in which a push that is due at once could be claimed before its person and permission
/// are known; the gate waits for that moment to pass. After a crash in it nobody waits: the happening was not answered and comes again.
final class ArrivalBook: Sendable {
    private struct State {
        /// How many batches are recording each person.
        var recording: [Recipient: Int] = [:]
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    func begin(_ people: Set<Recipient>) {
        state.withLock { state in
            for person in people { state.recording[person, default: 0] += 1 }
        }
    }

    func end(_ people: Set<Recipient>) {
        let waiting = state.withLock { state in
            for person in people {
                let rest = (state.recording[person] ?? 1) - 1
                state.recording[person] = rest > 0 ? rest : nil
            }
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Returns when none of these people is being recorded.
    func settled(_ people: Set<Recipient>) async {
        while true {
            let isBusy = state.withLock { state in
                people.contains { state.recording[$0] != nil }
            }
            guard isBusy else { return }
            await withCheckedContinuation { continuation in
                let isSettled = state.withLock { state in
                    guard people.contains(where: { state.recording[$0] != nil }) else {
                        return true
                    }
                    state.waiting.append(continuation)
                    return false
                }
                if isSettled { continuation.resume() }
            }
        }
    }
}
