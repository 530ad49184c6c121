import Synchronization

/// Turns many concurrent calls into batches, without a timer: whatever arrived while the last batch was worked on is the next one.
///
/// One batch at a time is worked on, so what `work` does needs no other lock (group commit).
package final class Batcher<Item: Sendable, Answer: Sendable>: Sendable {
    private struct Call {
        var item: Item
        var continuation: CheckedContinuation<Result<Answer, any Error>, Never>
    }

    private struct State {
        var waiting: [Call] = []
        var closed = false
        var idle: CheckedContinuation<Void, Never>?
    }

    /// The queue is full, or no longer served.
    package enum Refusal: Error {
        case full
        case closed
    }

    private let state = Mutex(State())
    private let batchLimit: Int
    private let queueLimit: Int
    private let work: @Sendable ([Item]) async -> [Result<Answer, any Error>]

    /// - Parameters:
    ///   - batchLimit: the most items one call of `work` is given.
    ///   - queueLimit: the most items that may wait; further ones are refused with ``Refusal/full``.
    ///   - work: answers each item, in order.
    package init(
        batchLimit: Int = 512,
        queueLimit: Int = 20_000,
        work: @escaping @Sendable ([Item]) async -> [Result<Answer, any Error>]
    ) {
        self.batchLimit = batchLimit
        self.queueLimit = queueLimit
        self.work = work
    }

    /// Waits until the item's batch is done.
    package func submit(_ item: Item) async throws -> Answer {
        try await withCheckedContinuation { continuation in
            let (refusal, idle): (Refusal?, CheckedContinuation<Void, Never>?) = state.withLock {
                if $0.closed { return (.closed, nil) }
                if $0.waiting.count >= queueLimit { return (.full, nil) }
                $0.waiting.append(Call(item: item, continuation: continuation))
                let idle = $0.idle
                $0.idle = nil
                return (nil, idle)
            }
            if let refusal { continuation.resume(returning: .failure(refusal)) }
            idle?.resume()
        }.get()
    }

    /// Works until the task is cancelled and nothing waits any more.
    package func run() async {
        await withTaskCancellationHandler {
            while true {
                let calls = state.withLock { state in
                    let calls = Array(state.waiting.prefix(batchLimit))
                    state.waiting.removeFirst(calls.count)
                    return calls
                }
                if calls.isEmpty {
                    if await !waitForWork() { return }
                    continue
                }
                let answers = await work(calls.map(\.item))
                for (call, answer) in zip(calls, answers) {
                    call.continuation.resume(returning: answer)
                }
            }
        } onCancel: {
            let idle = state.withLock { state in
                state.closed = true
                let idle = state.idle
                state.idle = nil
                return idle
            }
            idle?.resume()
        }
    }

    /// - Returns: whether there may be more to do.
    private func waitForWork() async -> Bool {
        await withCheckedContinuation { continuation in
            let ready = state.withLock { state in
                if !state.waiting.isEmpty || state.closed { return true }
                state.idle = continuation
                return false
            }
            if ready { continuation.resume() }
        }
        return state.withLock { !$0.waiting.isEmpty || !$0.closed }
    }
}
