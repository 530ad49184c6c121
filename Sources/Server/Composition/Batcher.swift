import Synchronization

/// Turns many concurrent calls into batches, without a timer: whatever arrived while the last batches were worked on is the next one.
///
/// Some batches are worked on side by side, so that one is decided while another waits for the disk (group commit, pipelined); they
/// never share a key. What `work` does for a key therefore needs no other lock, and items of one key keep their order.
package final class Batcher<Item: Sendable, Key: Hashable & Sendable, Answer: Sendable>: Sendable {
    private struct Call {
        var item: Item
        var key: Key
        var continuation: CheckedContinuation<Result<Answer, any Error>, Never>
    }

    private struct State {
        var waiting: [Call] = []
        /// The keys of the batches at work.
        var busy: Set<Key> = []
        var closed = false
        var idle: [CheckedContinuation<Void, Never>] = []

        /// Whether a worker has something to do, or nothing to wait for.
        var isReady: Bool {
            waiting.isEmpty ? closed : waiting.contains { !busy.contains($0.key) }
        }
    }

    /// The queue is full, or no longer served.
    package enum Refusal: Error {
        case full
        case closed
    }

    private let state = Mutex(State())
    private let batchLimit: Int
    private let queueLimit: Int
    private let width: Int
    private let key: @Sendable (Item) -> Key
    private let work: @Sendable ([Item]) async -> [Result<Answer, any Error>]

    /// - Parameters:
    ///   - batchLimit: the most items one call of `work` is given.
    ///   - queueLimit: the most items that may wait; further ones are refused with ``Refusal/full``.
    ///   - width: how many batches are worked on at once, at most.
    ///   - key: what no two batches at work may share.
    ///   - work: answers each item, in order.
    package init(
        batchLimit: Int = 512,
        queueLimit: Int = 20_000,
        width: Int = 2,
        key: @escaping @Sendable (Item) -> Key,
        work: @escaping @Sendable ([Item]) async -> [Result<Answer, any Error>]
    ) {
        self.batchLimit = batchLimit
        self.queueLimit = queueLimit
        self.width = width
        self.key = key
        self.work = work
    }

    /// How many items wait for a batch.
    var waiting: Int { state.withLock { $0.waiting.count } }

    func isBusy(_ key: Key) -> Bool { state.withLock { $0.busy.contains(key) } }

    /// Waits until the item's batch is done.
    package func submit(_ item: Item) async throws -> Answer {
        try await withCheckedContinuation { continuation in
            let call = Call(item: item, key: key(item), continuation: continuation)
            let (refusal, idle): (Refusal?, CheckedContinuation<Void, Never>?) = state.withLock {
                if $0.closed { return (.closed, nil) }
                if $0.waiting.count >= queueLimit { return (.full, nil) }
                $0.waiting.append(call)
                return (nil, $0.idle.popLast())
            }
            if let refusal { continuation.resume(returning: .failure(refusal)) }
            idle?.resume()
        }.get()
    }

    /// Works until the task is cancelled and nothing waits any more.
    package func run() async {
        await withTaskCancellationHandler {
            await withDiscardingTaskGroup { group in
                for _ in 0..<width { group.addTask { await self.workUntilClosed() } }
            }
        } onCancel: {
            wake { $0.closed = true }
        }
    }

    private func workUntilClosed() async {
        while await waitForWork() {
            let calls = take()
            guard !calls.isEmpty else { continue }
            let answers = await work(calls.map(\.item))
            wake { $0.busy.subtract(calls.map(\.key)) }
            for (call, answer) in zip(calls, answers) {
                call.continuation.resume(returning: answer)
            }
        }
    }

    /// The next batch: what waits and shares no key with a batch at work.
    private func take() -> [Call] {
        state.withLock { state in
            var taken: [Call] = []
            var rest: [Call] = []
            for call in state.waiting {
                if taken.count < batchLimit, !state.busy.contains(call.key) {
                    taken.append(call)
                } else {
                    rest.append(call)
                }
            }
            state.waiting = rest
            state.busy.formUnion(taken.lazy.map(\.key))
            return taken
        }
    }

    /// - Returns: whether there may be more to do.
    private func waitForWork() async -> Bool {
        await withCheckedContinuation { continuation in
            let isReady = state.withLock { state in
                if !state.isReady { state.idle.append(continuation) }
                return state.isReady
            }
            if isReady { continuation.resume() }
        }
        return state.withLock { !$0.waiting.isEmpty || !$0.closed }
    }

    /// Changes what workers wait for, and lets all of them look again.
    private func wake(_ change: (inout State) -> Void) {
        let idle = state.withLock { state in
            change(&state)
            defer { state.idle = [] }
            return state.idle
        }
        for worker in idle { worker.resume() }
    }
}
