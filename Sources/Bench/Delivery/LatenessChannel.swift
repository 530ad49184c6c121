import BelfryCore
import Histogram
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Accepts everything at once, and notes to the microsecond how late it was handed over.
final class LatenessChannel: Channel {
    private struct State {
        var lateness = Histogram<UInt32>(
            highestTrackableValue: 60_000_000,
            numberOfSignificantValueDigits: .three
        )
        var early = 0
        var first: Int64 = .max
        var last: Int64 = .min
    }

    let name = "null"
    private let expected: Int
    private let whenComplete: @Sendable () -> Void
    private let state = Mutex(State())

    /// - Parameter whenComplete: called once, when `expected` messages have come.
    init(expecting expected: Int, whenComplete: @escaping @Sendable () -> Void) {
        self.expected = expected
        self.whenComplete = whenComplete
    }

    func send(_ messages: [OutboundMessage]) async -> [SendOutcome] {
        let now = microsecondsNow()
        let isComplete = state.withLock { state in
            for message in messages {
                let late = now - message.due.milliseconds * 1000
                if late < 0 { state.early += 1 }
                state.lateness.record(UInt64(min(max(0, late), 60_000_000)))
            }
            state.first = min(state.first, now)
            state.last = max(state.last, now)
            return state.lateness.totalCount == UInt64(expected)
        }
        if isComplete { whenComplete() }
        return Array(repeating: .sent(reference: nil), count: messages.count)
    }

    var received: Int { state.withLock { Int($0.lateness.totalCount) } }
    /// Handed over before they were due: must be none.
    var early: Int { state.withLock { $0.early } }
    /// When the first and the last came, in microseconds since 1970.
    var span: (first: Int64, last: Int64) { state.withLock { ($0.first, $0.last) } }

    /// Milliseconds.
    func lateness(percentile: Double) -> Double {
        state.withLock { Double($0.lateness.valueAtPercentile(percentile)) / 1000 }
    }

    var greatest: Double { state.withLock { Double($0.lateness.max) / 1000 } }
}

/// The wall clock, finer than deadlines are kept.
func microsecondsNow() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
}
