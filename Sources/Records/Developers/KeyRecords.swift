import BelfryCore

extension Records {
    package var keys: KeyRecords { KeyRecords(records: self) }
}

/// The keys of the HTTP API.
package struct KeyRecords: Sendable {
    let records: Records

    /// - Throws: `conflict` where the id, or the key, exists.
    package func add(_ key: KeyRecord) async throws(RecordsError) {
        try check(key.id, "id", 1...TextLimits.name)
        try check(key.name, "name", 1...TextLimits.name)
        guard key.scopes.count <= 100 else {
            throw RecordsError(.invalid, "scopes: at most 100 allowed")
        }
        for scope in key.scopes { try check(scope, "scopes", 1...TextLimits.name) }
        try await records.database.write { session throws(RecordsError) in
            _ = try session.run(
                "INSERT INTO api_keys (\(KeyRecord.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    .text(key.id), .text(key.name), .blob(key.hash), .text(json(key.scopes)),
                    .time(key.created), .time(key.expires), .time(key.revoked),
                    .time(key.lastUsed),
                ]
            )
        }
        // Without its keys a server is closed to everybody: they do not stay in the log.
        await records.database.foldLog(fully: false)
    }

    /// The record of a key that somebody presents, whether or not it is still valid.
    package func find(_ key: Secret) async throws(RecordsError) -> KeyRecord? {
        let hash = KeyRecord.hash(key)
        let row = try await records.database.read { session throws(RecordsError) in
            try session.row(
                "SELECT \(KeyRecord.columns) FROM api_keys WHERE hash = ?",
                [.blob(hash)]
            )
        }
        return try row.map { row throws(RecordsError) in try KeyRecord(row) }
    }

    /// All keys, newest first; at most 1,000.
    package func all() async throws(RecordsError) -> [KeyRecord] {
        let rows = try await records.database.read { session throws(RecordsError) in
            try session.rows(
                "SELECT \(KeyRecord.columns) FROM api_keys ORDER BY created DESC, id LIMIT 1000",
                []
            )
        }
        return try rows.map { row throws(RecordsError) in try KeyRecord(row) }
    }

    /// - Returns: whether there was such a key, not revoked before.
    @discardableResult
    package func revoke(_ id: String) async throws(RecordsError) -> Bool {
        let now = records.clock.now()
        return try await records.database.write { session throws(RecordsError) in
            try session.run(
                "UPDATE api_keys SET revoked = ? WHERE id = ? AND revoked IS NULL",
                [.time(now), .text(id)]
            ) == 1
        }
    }

    /// Notes that a key was used. Writes at most once a minute a key; the caller asks only when ``KeyRecord/lastUsed`` is older.
    package func touch(_ id: String) async throws(RecordsError) {
        let now = records.clock.now()
        try await records.database.write { session throws(RecordsError) in
            _ = try session.run(
                """
                UPDATE api_keys SET last_used = ?
                WHERE id = ? AND (last_used IS NULL OR last_used <= ?)
                """,
                [.time(now), .text(id), .time(now - .minutes(1))]
            )
        }
    }
}
