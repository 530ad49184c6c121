import BelfryCore
import Synchronization

/// Where an answer goes: to a call that waits for this one, or to one that waits for several lanes.
enum Reply<Value: Sendable>: Sendable {
    case alone(CheckedContinuation<Result<Value, TimelineError>, Never>)
    case part(Gathering<Value>, Int)

    func resume(returning result: Result<Value, TimelineError>) {
        switch self {
        case .alone(let continuation): continuation.resume(returning: result)
        case .part(let gathering, let place): gathering.put(result, at: place)
        }
    }
}

/// The answers of several lanes, for whoever waits until all of them are there.
final class Gathering<Value: Sendable>: Sendable {
    typealias Results = [Result<Value, TimelineError>]

    private struct State {
        var results: [Result<Value, TimelineError>?]
        var missing: Int
        var waiting: CheckedContinuation<Results, Never>?

        var complete: Results? { missing == 0 ? results.compactMap { $0 } : nil }
    }

    private let state: Mutex<State>

    init(_ count: Int) {
        state = Mutex(State(results: Array(repeating: nil, count: count), missing: count))
    }

    subscript(place: Int) -> Reply<Value> { .part(self, place) }

    /// Each place gets one answer.
    func put(_ result: Result<Value, TimelineError>, at place: Int) {
        let waiting = state.withLock { state in
            state.results[place] = result
            state.missing -= 1
            return state.missing == 0 ? state.waiting : nil
        }
        waiting?.resume(returning: results())
    }

    /// All answers, in the order of places. To be asked for once.
    func all() async -> Results {
        await withCheckedContinuation { continuation in
            let complete = state.withLock { state in
                if state.missing > 0 { state.waiting = continuation }
                return state.complete
            }
            if let complete { continuation.resume(returning: complete) }
        }
    }

    private func results() -> Results { state.withLock { $0.complete ?? [] } }
}

extension Array {
    /// The values, unless one of the lanes has failed.
    func values<Value>() throws(TimelineError) -> [Value]
    where Element == Result<Value, TimelineError> {
        var values: [Value] = []
        values.reserveCapacity(count)
        for result in self { values.append(try result.get()) }
        return values
    }
}
