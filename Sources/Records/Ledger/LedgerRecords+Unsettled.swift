package import BelfryCore

/// A reservation whose send never came to a settlement.
package struct UnsettledReservation: Sendable, Hashable {
    package var key: ReservationKey
    package var reservation: Reservation
}

extension LedgerRecords {
    /// The reservations made before `time` that are still there, the oldest first; not those whose message was surely not sent, which
    /// are marked with the time 0.
    ///
    /// - Parameter cursor: `next` of the page before.
    package func unsettled(before time: Timestamp, limit: Int, cursor: String? = nil)
        async throws(RecordsError) -> Page<UnsettledReservation>
    {
        let after = try cursor.map { text throws(RecordsError) in try PageCursor(text) }
        let from = after ?? PageCursor()
        let limit = Page<UnsettledReservation>.bounded(limit)
        let rows = try await records.database.read { session throws(RecordsError) in
            try session.rows(
                Reservation.select + """
                     WHERE made > 0 AND made < ? AND (made, push, sequence) > (?, ?, ?)
                    ORDER BY made, push, sequence LIMIT ?
                    """,
                [
                    .time(time), .time(from.at), .text(from.text), .integer(from.id),
                    .integer(limit + 1),
                ]
            )
        }
        let items = rows.map {
            UnsettledReservation(key: ReservationKey($0), reservation: Reservation($0))
        }
        return Page(items, limit: limit) { item in
            PageCursor(
                at: item.reservation.made,
                id: Int64(bitPattern: item.key.sequence),
                text: item.key.push.text
            )
        }
    }

    /// The reservations of pushes that wait: held, or to be retried. They have no age; who has ended since is for the timeline to say.
    ///
    /// - Parameter cursor: `next` of the page before.
    package func kept(limit: Int, cursor: String? = nil) async throws(RecordsError)
        -> Page<ReservationKey>
    {
        let after = try cursor.map { text throws(RecordsError) in try PageCursor(text) }
        let from = after ?? PageCursor()
        let limit = Page<ReservationKey>.bounded(limit)
        let rows = try await records.database.read { session throws(RecordsError) in
            try session.rows(
                Reservation.select + """
                     WHERE made = 0 AND (push, sequence) > (?, ?)
                    ORDER BY push, sequence LIMIT ?
                    """,
                [.text(from.text), .integer(from.id), .integer(limit + 1)]
            )
        }
        return Page(rows.map { ReservationKey($0) }, limit: limit) { key in
            PageCursor(
                at: Timestamp(milliseconds: 0),
                id: Int64(bitPattern: key.sequence),
                text: key.push.text
            )
        }
    }

    /// Ends reservations without giving anything back, each together with the line that says why. One that was settled or renewed
    /// meanwhile has another end, and is left alone.
    ///
    /// - Parameter ends: at most 10,000.
    /// - Returns: the lines that were written.
    package func end(_ ends: [(reservation: UnsettledReservation, line: DeliveryRecord)])
        async throws(RecordsError) -> [DeliveryRecord]
    {
        try check(batch: ends.count)
        return try await records.database.write { session throws(RecordsError) in
            var written: [DeliveryRecord] = []
            for (item, line) in ends {
                let count = try session.run(
                    "DELETE FROM reservations WHERE push = ? AND sequence = ? AND made = ?",
                    [
                        .text(item.key.push.text), .bits(item.key.sequence),
                        .time(item.reservation.made),
                    ]
                )
                if count == 1 { written.append(line) }
            }
            try DeliveryRecord.append(try DeliveryRecord.bind(written), session)
            return written
        }
    }
}
