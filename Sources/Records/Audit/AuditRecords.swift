package import BelfryCore

/// One change that somebody made.
package struct AuditRecord: Sendable, Hashable {
    /// Given by the records, rising; 0 before.
    package var id: Int64 = 0
    package var at: Timestamp
    /// The id of a key, or a member's name.
    package var who: String
    /// A verb: `account.save`, `flow.publish`.
    package var action: String
    /// What was changed: `flow/shop/welcome`.
    package var subject: String
    /// JSON without secrets; `nil`: there was nothing.
    package var before: String?
    package var after: String?

    package init(
        at: Timestamp,
        who: String,
        action: String,
        subject: String,
        before: String? = nil,
        after: String? = nil
    ) {
        self.at = at
        self.who = who
        self.action = action
        self.subject = subject
        self.before = before
        self.after = after
    }
}

extension Records {
    package var audit: AuditRecords { AuditRecords(records: self) }
}

/// Who changed what, and when.
package struct AuditRecords: Sendable {
    private static let columns = "at, who, action, subject, before_state, after_state"

    let records: Records

    package func append(_ entry: AuditRecord) async throws(RecordsError) {
        try check(entry.who, "who", 1...TextLimits.name)
        try check(entry.action, "action", 1...TextLimits.name)
        try check(entry.subject, "subject", 1...TextLimits.sentence)
        try check(entry.before, "before", 0...TextLimits.flow)
        try check(entry.after, "after", 0...TextLimits.flow)
        try await records.database.write { session throws(RecordsError) in
            _ = try session.run(
                "INSERT INTO audit (\(Self.columns)) VALUES (?, ?, ?, ?, ?, ?)",
                [
                    .time(entry.at), .text(entry.who), .text(entry.action), .text(entry.subject),
                    .text(entry.before), .text(entry.after),
                ]
            )
        }
    }

    /// Newest first.
    ///
    /// - Parameters:
    ///   - subject: exactly this one; `nil`: all.
    ///   - cursor: `next` of the page before.
    package func list(subject: String? = nil, limit: Int = 100, cursor: String? = nil)
        async throws(RecordsError) -> Page<AuditRecord>
    {
        let after = try cursor.map { text throws(RecordsError) in try PageCursor(text) }
        let limit = Page<AuditRecord>.bounded(limit)
        var filter = " WHERE (at, id) < (?, ?)"
        var values: [SQLValue] = [.time(after?.at ?? .distantFuture), .integer(after?.id ?? .max)]
        if let subject {
            filter += " AND subject = ?"
            values.append(.text(subject))
        }
        let sql =
            "SELECT id, \(Self.columns) FROM audit" + filter + " ORDER BY at DESC, id DESC LIMIT ?"
        let bound = values + [.integer(limit + 1)]
        let rows = try await records.database.read { session throws(RecordsError) in
            try session.rows(sql, bound)
        }
        return Page(rows.map(AuditRecord.init), limit: limit) { PageCursor(at: $0.at, id: $0.id) }
    }
}

extension AuditRecord {
    fileprivate init(_ row: SQLRow) {
        self.init(
            at: row.time(1),
            who: row.text(2),
            action: row.text(3),
            subject: row.text(4),
            before: row.optionalText(5),
            after: row.optionalText(6)
        )
        id = Int64(row.integer(0))
    }
}
