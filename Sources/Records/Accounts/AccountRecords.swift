import BelfryCore

extension Records {
    package var accounts: AccountRecords { AccountRecords(records: self) }
}

/// The accounts. Few (thousands at most), so they are read whole.
package struct AccountRecords: Sendable {
    let records: Records

    /// Adds an account, or replaces all of it.
    ///
    /// - Returns: the account as it is now, with the times filled in.
    @discardableResult
    package func save(_ account: AccountRecord) async throws(RecordsError) -> AccountRecord {
        try account.validate()
        var saved = account
        saved.updated = records.clock.now()
        saved.created = saved.updated
        let values = try saved.values(sealedBy: records.seal)
        let row = try await records.database.write { session throws(RecordsError) in
            let row = try session.row(AccountRecord.upsert, values)
            try BookChanges.note(.accounts, account.key, session)
            return row
        }
        // Accounts change seldom and matter much: they do not stay in the log.
        await records.database.foldLog(fully: false)
        if let row { saved.created = row.time(0) }
        return saved
    }

    package func find(_ key: String) async throws(RecordsError) -> AccountRecord? {
        let row = try await records.database.read { session throws(RecordsError) in
            try session.row(AccountRecord.select + " WHERE account = ?", [.text(key)])
        }
        guard let row else { return nil }
        return try AccountRecord(row, sealedBy: records.seal)
    }

    /// All of them, by key. At most 10,000.
    package func all() async throws(RecordsError) -> [AccountRecord] {
        let rows = try await records.database.read { session throws(RecordsError) in
            try session.rows(AccountRecord.select + " ORDER BY account LIMIT 10000", [])
        }
        return try rows.map { row throws(RecordsError) in
            try AccountRecord(row, sealedBy: records.seal)
        }
    }

    /// Stops or resumes an account without touching the rest of it.
    ///
    /// - Parameter reason: `nil` resumes.
    /// - Returns: whether there is such an account.
    @discardableResult
    package func pause(_ key: String, reason: String?) async throws(RecordsError) -> Bool {
        try check(reason, "paused", 1...TextLimits.sentence)
        let now = records.clock.now()
        return try await records.database.write { session throws(RecordsError) in
            try BookChanges.note(.accounts, key, session)
            return try session.run(
                "UPDATE accounts SET paused = ?, updated = ? WHERE account = ?",
                [.text(reason), .time(now), .text(key)]
            ) == 1
        }
    }

    /// Removes the account's settings and secrets. Its people and history stay until they are erased or purged.
    ///
    /// - Returns: whether there was such an account.
    @discardableResult
    package func remove(_ key: String) async throws(RecordsError) -> Bool {
        try await records.database.write { session throws(RecordsError) in
            try BookChanges.note(.accounts, key, session)
            return try session.run("DELETE FROM accounts WHERE account = ?", [.text(key)]) == 1
        }
    }
}
