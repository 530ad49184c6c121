package import BelfryCore

extension Records {
    package var moving: MovingRecords { MovingRecords(records: self) }
}

/// Pushes that are being moved from one timeline to another, while they are in neither for certain.
package struct MovingRecords: Sendable {
    private static let insert = MultiRow(
        "INSERT INTO moving (push, merges, body) VALUES",
        columns: 3,
        "ON CONFLICT (push) DO UPDATE SET merges = excluded.merges, body = excluded.body"
    )
    private static let find = ManyKeys("SELECT push FROM moving WHERE push")
    private static let findGroups = ManyKeys("SELECT push FROM moving WHERE merges")
    private static let delete = ManyKeys("DELETE FROM moving WHERE push")

    let records: Records

    /// Writes pushes down, each once.
    package func add(_ pushes: [Pending]) async throws(RecordsError) {
        var values: [SQLValue] = []
        for pending in pushes {
            do {
                values += [
                    .text(pending.push.id.text), .text(Self.group(of: pending.push)),
                    .blob(try pending.packed()),
                ]
            } catch { throw RecordsError(.invalid, "\(pending.push.id): \(error)") }
        }
        let bound = values
        try await records.database.write { session throws(RecordsError) in
            try Self.insert.run(session, bound)
        }
    }

    /// All of them, by id.
    package func all() async throws(RecordsError) -> [Pending] {
        let rows = try await records.database.read { session throws(RecordsError) in
            try session.rows("SELECT push, body FROM moving ORDER BY push", [])
        }
        var pushes: [Pending] = []
        for row in rows {
            guard let pending = Pending(packed: row.blob(1)) else {
                throw RecordsError(.corrupt, "moving: '\(row.text(0))' cannot be read")
            }
            pushes.append(pending)
        }
        return pushes
    }

    package func remove(_ ids: [PushID]) async throws(RecordsError) {
        guard !ids.isEmpty else { return }
        try await records.database.write { session throws(RecordsError) in
            _ = try Self.delete.rows(session, [], ids.map { .text($0.text) })
        }
    }

    /// Whether one of the ids, or one that merges with one of the pushes, is among them.
    package func holds(_ ids: [PushID], mergingWith pushes: [Push]) async throws(RecordsError)
        -> Bool
    {
        let groups = Set(pushes.map { Self.group(of: $0) }).filter { !$0.isEmpty }
        return try await records.database.read { session throws(RecordsError) in
            let found = try Self.find.rows(session, [], ids.map { .text($0.text) })
            if !found.isEmpty { return true }
            return !(try Self.findGroups.rows(session, [], groups.map { .text($0) })).isEmpty
        }
    }

    /// Names what a push merges with; empty for one that merges with nothing. Lengths first, so that no two look alike.
    private static func group(of push: Push) -> String {
        guard let merge = push.merge else { return "" }
        let (account, person) = (push.recipient.account, push.recipient.person)
        return "\(account.utf8.count) \(person.utf8.count) \(account)\(person)\(merge.key)"
    }
}
