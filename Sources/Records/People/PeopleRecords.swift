package import BelfryCore
import Synchronization

extension Records {
    package var people: PeopleRecords { PeopleRecords(records: self) }
}

/// The people that accounts know.
package struct PeopleRecords: Sendable {
    let records: Records

    package func find(_ recipient: Recipient) async throws(RecordsError) -> PersonRecord? {
        try await find([recipient])[recipient]
    }

    /// Those of `recipients` that are known; at most 10,000 at once.
    package func find(_ recipients: [Recipient]) async throws(RecordsError)
        -> [Recipient: PersonRecord]
    {
        try check(batch: recipients.count)
        for recipient in recipients { try check(recipient) }
        return try await records.database.read { session throws(RecordsError) in
            try PersonRecord.load(recipients, session)
        }
    }

    /// Reads a person, lets `change` say what becomes of them, and writes that, in one transaction. Unknown people begin empty.
    ///
    /// - Parameter change: may run twice; must not block.
    @discardableResult
    package func update(
        _ recipient: Recipient,
        _ change: @escaping @Sendable (inout PersonRecord) -> Void
    ) async throws(RecordsError) -> PersonRecord {
        try check(recipient)
        let now = records.clock.now()
        return try await records.database.write { session throws(RecordsError) in
            let known = try PersonRecord.load([recipient], session)[recipient]
            var person = known ?? PersonRecord(recipient: recipient, created: now)
            change(&person)
            person.recipient = recipient
            person.updated = now
            try PersonRecord.save([person], session)
            return person
        }
    }

    /// The people of an account by their ids.
    ///
    /// - Parameters:
    ///   - prefix: of the person's id.
    ///   - cursor: `next` of the page before.
    package func list(
        account: String,
        prefix: String = "",
        limit: Int = 100,
        cursor: String? = nil
    ) async throws(RecordsError) -> Page<PersonRecord> {
        try check(account, "account", 1...PushLimits.accountBytes)
        try check(prefix, "prefix", 0...PushLimits.personBytes)
        let after = try cursor.map { text throws(RecordsError) in try PageCursor(text) }
        let limit = Page<PersonRecord>.bounded(limit)
        // `>=` and `<` on the key are served by it; LIKE is not, everywhere.
        let from = after?.text ?? prefix
        let rows = try await records.database.read { session throws(RecordsError) in
            try session.rows(
                PersonRecord.select + """
                     WHERE account = ? AND person >= ? AND person <> ?
                    ORDER BY person LIMIT ?
                    """,
                [.text(account), .text(from), .text(after?.text ?? ""), .integer(limit + 1)]
            )
        }
        var people: [PersonRecord] = []
        for row in rows {
            let person = try PersonRecord(row)
            guard person.recipient.person.utf8.starts(with: prefix.utf8) else { break }
            people.append(person)
        }
        return Page(people, limit: limit) { PageCursor(text: $0.recipient.person) }
    }

    /// Deletes everything that names the person, as the law and WeChat's terms ask after an unsubscribe: profile, permissions,
    /// reminders, history, links and dead letters. Counters stay; stored callbacks, which are kept for hours only, go with their purge. Pushes
    /// that were accepted before are stopped when they are due (``ErasureRecords``).
    ///
    /// - Returns: how many rows went.
    @discardableResult
    package func erase(_ recipient: Recipient) async throws(RecordsError) -> Int {
        try check(recipient)
        let now = records.clock.now()
        let mark = records.seal.mark(recipient)
        // Before the commit: whoever looks after it must find the mark.
        records.newestErasure.withLock { $0 = max($0, now) }
        return try await records.database.write { session throws(RecordsError) in
            try ErasureRecords.mark(mark, at: now, session)
            return try Self.erase(recipient, session)
        }
    }

    @discardableResult
    static func erase(_ recipient: Recipient, _ session: any SQLSession) throws(RecordsError) -> Int
    {
        var rows = 0
        for table in [
            "people", "reservations", "deliveries", "insiders", "reminders", "links",
            "dead_letters",
        ] {
            rows += try session.run(
                "DELETE FROM \(table) WHERE account = ? AND person = ?",
                [.text(recipient.account), .text(recipient.person)]
            )
        }
        return rows
    }

    /// How many people of an account are subscribed. Reads the account's people; for pages, not for hot paths.
    package func subscribed(account: String) async throws(RecordsError) -> Int {
        try await records.database.read { session throws(RecordsError) in
            let sql = "SELECT count(*) FROM people WHERE account = ? AND subscribed = 1"
            return try session.row(sql, [.text(account)])?.integer(0) ?? 0
        }
    }
}
