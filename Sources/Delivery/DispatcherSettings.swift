import BelfryCore

/// How a ``Dispatcher`` paces itself. The defaults suit two cores and an embedded timeline.
package struct DispatcherSettings: Sendable, Hashable {
    /// The most pushes that one claim takes; one hop to the timeline carries them all.
    package var claimBatch = 2_000
    /// The most pushes that are held at once, from claim to settlement. Bounds memory.
    package var capacity = 16_384
    /// Where others would send what this one leaves: it holds no more than goes out within this time, as far as that can be told (``Reach``). `nil`: whatever there is room for.
    package var reach: Duration?
    /// How long a claim is lent. Renewed before half of it has passed; a crash delays what was in flight by at most this.
    package var lease = Duration.seconds(60)
    /// The time between two looks at the timeline when the alarm is silent; jittered up by as much as a quarter. Each look wakes
    /// half a dozen threads: so rarely, idling costs about one wake-up a minute.
    package var sweep = Duration.minutes(4)
    /// The most messages in one call of a channel.
    package var shipmentMessages = 500
    /// The most calls of channels under way at once, over all accounts.
    package var shipments = 64
    /// The most messages under way at once, over all accounts and channels. Beyond it priorities count: whatever is under way cannot be overtaken any more.
    package var sends = 16_384
    /// What waits here for so long moves up a band, as it does in the timeline.
    package var ageing = Duration.seconds(60)
    /// What may wait when capacity is short.
    package var overload = OverloadPolicy()
    /// The most settlements in one call.
    package var settleBatch = 4_000
    /// The most calls that settle under way at once: more than one only while one takes long.
    static let settlements = 8
    /// The most events in one call of the recorder.
    package var recordBatch = 2_000
    /// With this many events waiting for the records, no more pushes are claimed until some are written.
    package var recordBacklog = 20_000
    /// A push that has waited here this long since its claim or renewal is asked about once more before it is sent.
    package var confirmAfter = Duration.seconds(1)
    package var retry = RetryPolicy()
    package var circuit = CircuitPolicy()

    package init() {}
}

/// When a message that was surely not accepted is tried again: exponential back-off with equal jitter.
///
/// Half of the bound is always waited, so that no push runs out of attempts in a few seconds in which the other side starts again; the other half is drawn, so that
/// a crowd spreads: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
package struct RetryPolicy: Sendable, Hashable {
    /// Tries in all; after the last one the push is a dead letter.
    package var attempts = 8
    /// The bound of the first wait; it doubles with each attempt.
    package var base = Duration.seconds(2)
    /// No wait is longer, but for the other side's own wish.
    package var longest = Duration.minutes(15)
    /// No wait is shorter.
    package var shortest = Duration.milliseconds(100)

    package init() {}

    /// How long to wait after a failed try.
    ///
    /// - Parameters:
    ///   - attempt: 0 after the first try.
    ///   - asked: the other side's own wish (Retry-After): never waited shorter, and up to a tenth longer, so that a crowd
    ///     that was told the same time does not return at once.
    package func delay(
        after attempt: Int,
        asked: Duration?,
        using random: inout some RandomNumberGenerator
    ) -> Duration {
        let floor = max(1, shortest.milliseconds)
        let doubled = base.milliseconds.multipliedReportingOverflow(by: 1 << min(attempt, 30))
        let bound = doubled.overflow ? .max : doubled.partialValue
        let ceiling = max(floor, min(bound, longest.milliseconds))
        let drawn = Int64.random(in: max(floor, ceiling / 2)...ceiling, using: &random)
        guard let asked = asked?.milliseconds, asked > 0 else { return .milliseconds(drawn) }
        return .milliseconds(max(drawn, asked + Int64.random(in: 0...asked / 10, using: &random)))
    }
}
