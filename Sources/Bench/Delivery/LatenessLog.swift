import Histogram
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// How late messages were handed over, to the microsecond.
package final class LatenessLog: Sendable {
    private struct State {
        var lateness = Histogram<UInt32>(
            highestTrackableValue: 60_000_000,
            numberOfSignificantValueDigits: .three
        )
        var early = 0
        var failed = 0
        var last: Int64 = .min
    }

    private let expected: Int
    private let whenComplete: @Sendable () -> Void
    private let state = Mutex(State())

    /// - Parameter whenComplete: called once, when `expected` messages have come.
    package init(expecting expected: Int, whenComplete: @escaping @Sendable () -> Void) {
        self.expected = expected
        self.whenComplete = whenComplete
    }

    /// Messages have been handed over.
    ///
    /// - Parameters:
    ///   - dues: milliseconds since 1970.
    ///   - began: when the handing over began, and when it ended: microseconds since 1970.
    package func note(
        _ dues: some Collection<Int64>,
        from began: Int64,
        until ended: Int64,
        failed: Int = 0
    ) {
        let isComplete = state.withLock { state in
            state.failed += failed
            for due in dues {
                if began < due * 1000 { state.early += 1 }
                let late = ended - due * 1000
                state.lateness.record(UInt64(min(max(0, late), 60_000_000)))
            }
            state.last = max(state.last, ended)
            return state.lateness.totalCount == UInt64(expected)
        }
        if isComplete { whenComplete() }
    }

    package var received: Int { state.withLock { Int($0.lateness.totalCount) } }
    /// Handed over before they were due: must be none.
    package var early: Int { state.withLock { $0.early } }
    /// Not accepted by the target: must be none.
    package var failed: Int { state.withLock { $0.failed } }
    /// When the last came, in microseconds since 1970.
    package var last: Int64 { state.withLock { $0.last } }

    /// Milliseconds.
    package func lateness(percentile: Double) -> Double {
        state.withLock { Double($0.lateness.valueAtPercentile(percentile)) / 1000 }
    }

    /// Milliseconds.
    package var greatest: Double { state.withLock { Double($0.lateness.max) / 1000 } }
}

/// The wall clock, finer than deadlines are kept.
package func microsecondsNow() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
}
