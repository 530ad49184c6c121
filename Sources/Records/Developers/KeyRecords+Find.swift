extension KeyRecords {
    /// The record of the key with that id, whether or not it is still valid.
    package func find(id: String) async throws(RecordsError) -> KeyRecord? {
        guard (1...TextLimits.name).contains(id.utf8.count) else { return nil }
        let row = try await records.database.read { session throws(RecordsError) in
            try session.row(
                "SELECT \(KeyRecord.columns) FROM api_keys WHERE id = ?",
                [.text(id)]
            )
        }
        return try row.map { row throws(RecordsError) in try KeyRecord(row) }
    }
}
