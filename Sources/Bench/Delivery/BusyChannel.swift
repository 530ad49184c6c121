import BelfryCore
import Histogram
import Synchronization

/// The other side as it mostly is: so many messages at once, each taking the same time, the rest waiting in order of arrival. Notes to the microsecond how long after its
/// time each message was answered.
final class BusyChannel: Channel {
    /// Who a message was for, and when, is all that it is judged by.
    enum Kind: Int, CaseIterable {
        /// High, with nothing else to do.
        case reference
        /// High, while far more low ones are due than can be sent.
        case high
        case low
    }

    private struct State {
        /// When each place is free again, in microseconds since 1970.
        var places: [Int64]
        var lateness = [Histogram<UInt32>](
            repeating: Histogram(
                highestTrackableValue: 600_000_000,
                numberOfSignificantValueDigits: .three
            ),
            count: Kind.allCases.count
        )
    }

    let name = "busy"
    private let service: Duration
    private let clock = SystemClock()
    private let kind: @Sendable (OutboundMessage) -> Kind
    private let state: Mutex<State>

    init(
        places: Int,
        service: Duration,
        kind: @escaping @Sendable (OutboundMessage) -> Kind
    ) {
        self.service = service
        self.kind = kind
        state = Mutex(State(places: Array(repeating: 0, count: places)))
    }

    func send(_ messages: [OutboundMessage]) async -> [SendOutcome] {
        let began = microsecondsNow()
        let ends = state.withLock { state in messages.map { _ in take(&state, began) } }
        let wait = (ends.max() ?? began) - began
        // A run that is cut short has no result.
        do { try await clock.sleep(for: .microseconds(wait)) } catch {
            return messages.map { _ in .unknown(cause: Self.cut) }
        }
        let now = microsecondsNow()
        state.withLock { state in
            for message in messages {
                let late = now - message.asked.milliseconds * 1000
                state.lateness[kind(message).rawValue]
                    .record(UInt64(min(max(0, late), 600_000_000)))
            }
        }
        return Array(repeating: .sent(reference: nil), count: messages.count)
    }

    /// Gives the place that is free first to a message.
    ///
    /// - Returns: when it will be answered.
    private func take(_ state: inout State, _ now: Int64) -> Int64 {
        var first = 0
        for place in state.places.indices where state.places[place] < state.places[first] {
            first = place
        }
        state.places[first] = max(now, state.places[first]) + service.milliseconds * 1000
        return state.places[first]
    }

    func count(_ kind: Kind) -> Int {
        state.withLock { Int($0.lateness[kind.rawValue].totalCount) }
    }

    /// Milliseconds.
    func lateness(_ kind: Kind, percentile: Double) -> Double {
        state.withLock { Double($0.lateness[kind.rawValue].valueAtPercentile(percentile)) / 1000 }
    }

    private static let cut = SendCause(code: "cut", message: "The run was cut short.")
}
