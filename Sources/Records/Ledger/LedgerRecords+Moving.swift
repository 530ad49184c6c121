package import BelfryCore

extension LedgerRecords {
    private static let byPush = ManyKeys("SELECT push, sequence, made FROM reservations WHERE push")

    /// The reservations of these pushes: of which version, and whether its message may have been sent (otherwise it waits, held or to be retried).
    package func reservations(of ids: [PushID]) async throws(RecordsError)
        -> [(push: PushID, sequence: UInt64, mayBeSent: Bool)]
    {
        let rows = try await records.database.read { session throws(RecordsError) in
            try Self.byPush.rows(session, [], ids.map { .text($0.text) })
        }
        return rows.map {
            (push: PushID($0.text(0)), sequence: $0.bits(1), mayBeSent: $0.integer(2) > 0)
        }
    }

    /// Lets reservations follow pushes whose versions have other numbers in another timeline. One that is there under the new number already stays.
    package func renumber(_ changes: [(push: PushID, from: UInt64, to: UInt64)])
        async throws(RecordsError)
    {
        guard !changes.isEmpty else { return }
        try await records.database.write { session throws(RecordsError) in
            for change in changes {
                try session.run(
                    """
                    UPDATE reservations SET sequence = ? WHERE push = ? AND sequence = ?
                    AND NOT EXISTS (SELECT 1 FROM reservations r WHERE r.push = ? AND r.sequence = ?)
                    """,
                    [
                        .bits(change.to), .text(change.push.text), .bits(change.from),
                        .text(change.push.text), .bits(change.to),
                    ]
                )
            }
        }
    }
}
