package import BelfryCore

/// One version of a push.
package struct PushVersion: Sendable, Hashable {
    package var push: PushID
    package var sequence: UInt64

    package init(push: PushID, sequence: UInt64) {
        self.push = push
        self.sequence = sequence
    }
}

extension DeliveryRecords {
    private static let lines = ManyKeys(
        "SELECT push, sequence, state, at FROM deliveries WHERE at >= ? AND push"
    )

    /// What last put off versions of pushes; those that the history knows no hold of are not in it.
    ///
    /// - Parameter since: none of them was to go out before; spares looking at older versions of the same ids.
    package func lastHolds(of versions: Set<PushVersion>, since: Timestamp)
        async throws(RecordsError) -> [PushVersion: WaitingState]
    {
        guard !versions.isEmpty else { return [:] }
        let keys = Set(versions.map(\.push)).map { SQLValue.text($0.text) }
        let rows = try await records.database.read { session throws(RecordsError) in
            try Self.lines.rows(session, [.time(since)], keys)
        }
        var newest: [PushVersion: (state: WaitingState, at: Timestamp)] = [:]
        for row in rows {
            let version = PushVersion(push: PushID(row.text(0)), sequence: row.bits(1))
            guard let state = WaitingState(rawValue: row.text(2)), state.isHold,
                versions.contains(version), newest[version].map({ $0.at <= row.time(3) }) ?? true
            else { continue }
            newest[version] = (state, row.time(3))
        }
        return newest.mapValues(\.state)
    }

    /// The newest line that tells of a hold of one version of a push; `nil` where the history knows of none.
    ///
    /// - Parameter since: it was not to go out before.
    package func lastHold(of version: PushVersion, since: Timestamp) async throws(RecordsError)
        -> DeliveryRecord?
    {
        var query = DeliveryQuery()
        query.push = version.push
        query.from = since
        let newest = try await find(query).items.first { $0.sequence == version.sequence }
        guard case .waiting(let state)? = newest?.state, state.isHold else { return nil }
        return newest
    }
}
