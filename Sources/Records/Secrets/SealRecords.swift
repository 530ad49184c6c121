extension Records {
    package var seals: SealRecords { SealRecords(records: self) }
}

/// Secrets by name, under the server's key.
package struct SealRecords: Sendable {
    let records: Records

    package func set(_ name: String, to secret: Secret) async throws(RecordsError) {
        let sealed = try records.seal.seal(secret, place: "seals/\(name)")
        try await records.database.write { session throws(RecordsError) in
            _ = try session.run(
                """
                INSERT INTO seals (name, sealed) VALUES (?, ?)
                ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed
                """,
                [.text(name), .blob(sealed)]
            )
        }
    }

    /// - Throws: `invalid` where another key has sealed it.
    package func find(_ name: String) async throws(RecordsError) -> Secret? {
        let row = try await records.database.read { session throws(RecordsError) in
            try session.row("SELECT sealed FROM seals WHERE name = ?", [.text(name)])
        }
        guard let row else { return nil }
        return try records.seal.open(row.blob(0), place: "seals/\(name)")
    }
}
