import BelfryCore
import Synchronization

/// What was asked did not answer within its time.
struct TimedOut: Error, CustomStringConvertible {
    var span: Duration

    var description: String { "no answer within \(DurationText.inOneUnit(span))" }
}

/// Waits at most so long for `work`, which goes on by itself when the time is over: it is for questions that may be given up, not for changes.
///
/// - Throws: what `work` throws, or ``TimedOut``.
func within<Value: Sendable>(
    _ span: Duration,
    _ clock: any WallClock,
    _ work: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    let waiter = FirstAnswer<Value>()
    let asking = Task {
        do { waiter.answer(.success(try await work())) } catch { waiter.answer(.failure(error)) }
    }
    let timing = Task {
        // Cancelled: the answer is there.
        guard (try? await clock.sleep(for: span)) != nil else { return }
        waiter.answer(.failure(TimedOut(span: span)))
    }
    defer {
        timing.cancel()
        asking.cancel()
    }
    return try await withCheckedThrowingContinuation { waiter.wait($0) }
}

/// The first of two answers; the other is dropped.
private final class FirstAnswer<Value: Sendable>: Sendable {
    private enum State {
        case open
        case waiting(CheckedContinuation<Value, any Error>)
        case answered(Result<Value, any Error>)
        case over
    }

    private let state = Mutex(State.open)

    func answer(_ result: Result<Value, any Error>) {
        let waiting: CheckedContinuation<Value, any Error>? = state.withLock { state in
            switch state {
            case .open:
                state = .answered(result)
                return nil
            case .waiting(let continuation):
                state = .over
                return continuation
            case .answered, .over: return nil
            }
        }
        waiting?.resume(with: result)
    }

    func wait(_ continuation: CheckedContinuation<Value, any Error>) {
        let result: Result<Value, any Error>? = state.withLock { state in
            if case .answered(let result) = state {
                state = .over
                return result
            }
            state = .waiting(continuation)
            return nil
        }
        if let result { continuation.resume(with: result) }
    }
}
