package import BelfryCore
package import BelfryRecords
package import Logging

/// Explains what a crash cut off: a message whose permission was reserved by an earlier process, and whose push is no longer in the
/// timeline, because it was cancelled or replaced in flight, or settled and not yet recorded. Nobody will claim it again, so nobody
/// else will say how it ended.
///
/// A push that is still pending is left to the gate, which finds the reservation when the push is claimed. What another server over the same records has
/// reserved is left to it as long as it lives: it may have settled the push and be about to write that down.
package struct InterruptedSends: Sendable {
    let records: Records
    let timeline: any Timeline
    let clock: any WallClock
    let feed: LiveFeed
    let live: LiveConfiguration
    /// When this process began: reservations from before it were made by another.
    let began: Timestamp
    let logger: Logger

    package init(
        records: Records,
        timeline: any Timeline,
        clock: any WallClock,
        feed: LiveFeed,
        live: LiveConfiguration,
        began: Timestamp,
        logger: Logger
    ) {
        self.records = records
        self.timeline = timeline
        self.clock = clock
        self.feed = feed
        self.live = live
        self.began = began
        self.logger = logger
    }

    /// One page is one look into the timeline and one transaction: delivery and intake go on between them.
    static let page = 500

    /// Works until all is explained; a store that fails is asked again, and so is what servers that live have reserved.
    func run() async throws(CancellationError) {
        while true {
            do {
                let (count, left) = try await explain()
                if count > 0 {
                    logger.notice("interrupted sends", metadata: ["unknown": "\(count)"])
                }
                if left == 0 { return }
            } catch {
                logger.error("interrupted sends not explained", metadata: ["error": "\(error)"])
            }
            try await clock.sleep(for: .seconds(30))
        }
    }

    /// - Returns: how many were explained, and how many are those of servers that live.
    package func explain() async throws -> (count: Int, left: Int) {
        let alive = Set(try await live.others())
        var count = 0
        var left = 0
        var cursor: String?
        repeat {
            let page = try await records.ledger.unsettled(
                before: began,
                limit: Self.page,
                cursor: cursor
            )
            let gone = page.items.filter { item in
                item.reservation.maker.map { !alive.contains($0.node) } ?? true
            }
            left += page.items.count - gone.count
            count += try await end(gone)
            cursor = page.next
        } while cursor != nil
        return (count, left)
    }

    private func end(_ reservations: [UnsettledReservation]) async throws -> Int {
        let pending = try await timeline.find(reservations.map(\.key.push))
        let now = clock.now()
        let ends = zip(reservations, pending)
            .filter { $0.1.isOther(than: $0.0.key.sequence) }
            .map { (reservation: $0.0, line: line($0.0, at: now)) }
        guard !ends.isEmpty else { return 0 }
        let written = try await records.ledger.end(ends)
        feed.publish(written)
        return written.count
    }

    private func line(_ item: UnsettledReservation, at now: Timestamp) -> DeliveryRecord {
        let send = item.reservation.send
        return DeliveryRecord(
            push: item.key.push,
            sequence: item.key.sequence,
            attempt: send?.attempt ?? 0,
            recipient: item.key.recipient,
            flow: send?.flow,
            step: send?.step,
            // Before reservations said so, only messages of WeChat had one.
            channel: send?.channel ?? "wechat",
            due: send?.due ?? item.reservation.made,
            at: now,
            state: .ended(.unknown),
            cause: Self.cause
        )
    }

    private static let cause = SendCause(
        code: "interrupted",
        message: "the server stopped while this message was being sent, and its push has been"
            + " cancelled, replaced or settled since; it may have been sent",
        remedy: "Ask WeChat's records if it matters; it is not sent again."
    )
}
