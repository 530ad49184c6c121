import BelfryCore

extension Records {
    package var deadLetters: DeadLetterRecords { DeadLetterRecords(records: self) }
}

/// The pushes that were given up.
package struct DeadLetterRecords: Sendable {
    private static let insert = MultiRow(
        "INSERT INTO dead_letters (\(DeadLetterRecord.columns)) VALUES",
        columns: 12,
        "ON CONFLICT (push, sequence) DO NOTHING RETURNING id"
    )

    let records: Records

    /// Keeps pushes that were given up. The same version of a push again changes nothing.
    ///
    /// - Returns: how many were new.
    @discardableResult
    package func add(_ letters: [DeadLetterRecord]) async throws(RecordsError) -> Int {
        try check(batch: letters.count)
        var values: [SQLValue] = []
        for letter in letters { values += try letter.values() }
        let bound = values
        return try await records.database.write { session throws(RecordsError) in
            try Self.insert.rows(session, bound).count
        }
    }

    package func find(_ id: Int64) async throws(RecordsError) -> DeadLetterRecord? {
        let row = try await records.database.read { session throws(RecordsError) in
            try session.row(DeadLetterRecord.select + " WHERE id = ?", [.integer(id)])
        }
        return try row.map { row throws(RecordsError) in try DeadLetterRecord(row) }
    }

    /// Newest first.
    ///
    /// - Parameter cursor: `next` of the page before.
    package func list(
        account: String? = nil,
        code: String? = nil,
        state: DeadLetterRecord.State = .open,
        limit: Int = 100,
        cursor: String? = nil
    ) async throws(RecordsError) -> Page<DeadLetterRecord> {
        let after = try cursor.map { text throws(RecordsError) in try PageCursor(text) }
        let limit = Page<DeadLetterRecord>.bounded(limit)
        var filter = " WHERE state = ? AND id < ?"
        var values: [SQLValue] = [.text(state.rawValue), .integer(after?.id ?? .max)]
        if let account {
            filter += " AND account = ?"
            values.append(.text(account))
        }
        if let code {
            filter += " AND code = ?"
            values.append(.text(code))
        }
        let sql = DeadLetterRecord.select + filter + " ORDER BY id DESC LIMIT ?"
        let bound = values + [.integer(limit + 1)]
        let rows = try await records.database.read { session throws(RecordsError) in
            try session.rows(sql, bound)
        }
        let items = try rows.map { row throws(RecordsError) in try DeadLetterRecord(row) }
        return Page(items, limit: limit) { PageCursor(id: $0.id) }
    }

    /// The open ones by cause, the most frequent first; at most 1,000 causes.
    package func groups(account: String? = nil) async throws(RecordsError) -> [DeadLetterGroup] {
        let filter = account == nil ? "" : " AND account = ?"
        let sql = """
            SELECT g.code, g.letters, g.oldest, g.newest, d.message, d.remedy FROM
                (SELECT code, count(*) AS letters, min(at) AS oldest, max(at) AS newest,
                    max(id) AS last FROM dead_letters WHERE state = 'open'\(filter) GROUP BY code) g
            JOIN dead_letters d ON d.id = g.last
            ORDER BY g.letters DESC, g.code LIMIT 1000
            """
        return try await records.database.read { session throws(RecordsError) in
            try session.rows(sql, account.map { [.text($0)] } ?? []).map { row in
                DeadLetterGroup(
                    code: row.text(0),
                    count: row.integer(1),
                    oldest: row.time(2),
                    newest: row.time(3),
                    cause: SendCause(
                        code: row.text(0),
                        message: row.text(4),
                        remedy: row.text(5)
                    )
                )
            }
        }
    }

    /// Says what became of open dead letters.
    ///
    /// - Returns: the ids that were open; of two people who press the same button, one gets them.
    package func mark(_ ids: [Int64], _ state: DeadLetterRecord.State)
        async throws(RecordsError) -> [Int64]
    {
        try check(batch: ids.count, limit: TextLimits.page)
        let now = records.clock.now()
        return try await records.database.write { session throws(RecordsError) in
            var marked: [Int64] = []
            for id in ids {
                let changed = try session.run(
                    "UPDATE dead_letters SET state = ?, ended = ? WHERE id = ? AND state = 'open'",
                    [.text(state.rawValue), .time(state == .open ? nil : now), .integer(id)]
                )
                if changed == 1 { marked.append(id) }
            }
            return marked
        }
    }

    /// Opens dead letters again whose retry could not be scheduled.
    package func reopen(_ ids: [Int64]) async throws(RecordsError) {
        try check(batch: ids.count, limit: TextLimits.page)
        try await records.database.write { session throws(RecordsError) in
            for id in ids {
                try session.run(
                    "UPDATE dead_letters SET state = 'open', ended = NULL WHERE id = ?",
                    [.integer(id)]
                )
            }
        }
    }

    /// How many are open.
    package func count(account: String? = nil) async throws(RecordsError) -> Int {
        let filter = account == nil ? "" : " AND account = ?"
        return try await records.database.read { session throws(RecordsError) in
            try session.row(
                "SELECT count(*) FROM dead_letters WHERE state = 'open'" + filter,
                account.map { [.text($0)] } ?? []
            )?.integer(0) ?? 0
        }
    }
}
