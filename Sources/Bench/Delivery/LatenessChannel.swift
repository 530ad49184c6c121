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

/// Notes to the microsecond how late messages are handed over: to nobody, or to another channel, which has then answered.
final class LatenessChannel: Channel {
    private struct State {
        var lateness = Histogram<UInt32>(
            highestTrackableValue: 60_000_000,
            numberOfSignificantValueDigits: .three
        )
        var early = 0
        var failed = 0
        var last: Int64 = .min
    }

    let name: String
    private let target: (any Channel)?
    private let expected: Int
    private let whenComplete: @Sendable () -> Void
    private let state = Mutex(State())

    /// - Parameter whenComplete: called once, when `expected` messages have come.
    init(
        expecting expected: Int,
        target: (any Channel)? = nil,
        whenComplete: @escaping @Sendable () -> Void
    ) {
        name = target?.name ?? "null"
        self.target = target
        self.expected = expected
        self.whenComplete = whenComplete
    }

    func send(_ messages: [OutboundMessage]) async -> [SendOutcome] {
        let began = microsecondsNow()
        let outcomes =
            await target?.send(messages)
            ?? Array(repeating: .sent(reference: nil), count: messages.count)
        let now = target == nil ? began : microsecondsNow()
        let failures = outcomes.count { $0 != .sent(reference: nil) }
        let isComplete = state.withLock { state in
            state.failed += failures
            for message in messages {
                let due = message.asked.milliseconds * 1000
                if began < due { state.early += 1 }
                let late = now - due
                state.lateness.record(UInt64(min(max(0, late), 60_000_000)))
            }
            state.last = max(state.last, now)
            return state.lateness.totalCount == UInt64(expected)
        }
        if isComplete { whenComplete() }
        return outcomes
    }

    var received: Int { state.withLock { Int($0.lateness.totalCount) } }
    /// Handed over before they were due: must be none.
    var early: Int { state.withLock { $0.early } }
    /// Not accepted by the target: must be none.
    var failed: Int { state.withLock { $0.failed } }
    /// When the last came, in microseconds since 1970.
    var last: Int64 { state.withLock { $0.last } }

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
