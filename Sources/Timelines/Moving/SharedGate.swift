import Synchronization

/// Lets many through at once, or one alone; in the order in which they come.
package final class SharedGate: Sendable {
    fileprivate struct State {
        var inside = 0
        var isAlone = false
        var waiting: [(isAlone: Bool, enter: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())

    package init() {}

    /// With others that share.
    package func shared<Value, Failure: Error>(
        _ work: () async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        await enter(alone: false)
        defer { leave() }
        return try await work()
    }

    /// While nobody else is inside.
    package func alone<Value, Failure: Error>(
        _ work: () async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        await enter(alone: true)
        defer { leave() }
        return try await work()
    }

    private func enter(alone: Bool) async {
        await withCheckedContinuation { continuation in
            let mayEnter = state.withLock { state in
                guard state.waiting.isEmpty, state.admits(alone: alone) else {
                    state.waiting.append((alone, continuation))
                    return false
                }
                state.enter(alone: alone)
                return true
            }
            if mayEnter { continuation.resume() }
        }
    }

    private func leave() {
        let next = state.withLock { state in
            state.inside -= 1
            state.isAlone = false
            var next: [CheckedContinuation<Void, Never>] = []
            while let first = state.waiting.first, state.admits(alone: first.isAlone) {
                state.enter(alone: first.isAlone)
                next.append(first.enter)
                state.waiting.removeFirst()
            }
            return next
        }
        for continuation in next { continuation.resume() }
    }
}

extension SharedGate.State {
    fileprivate func admits(alone: Bool) -> Bool { !isAlone && (!alone || inside == 0) }

    fileprivate mutating func enter(alone: Bool) {
        inside += 1
        isAlone = alone
    }
}
