package import BelfryCore

extension Records {
    package var deliveries: DeliveryRecords { DeliveryRecords(records: self) }
}

/// What became of every push, and why.
package struct DeliveryRecords: Sendable {
    let records: Records

    /// Adds lines to the history and counts them. A line with the push, sequence, attempt and state of one that is there changes
    /// nothing and is not counted again.
    ///
    /// - Parameter insiders: what changes in who is inside flows, in the same transaction.
    /// - Returns: how many were new.
    @discardableResult
    package func append(_ deliveries: [DeliveryRecord], insiders: [InsiderChange] = [])
        async throws(RecordsError) -> Int
    {
        let bound = try DeliveryRecord.bind(deliveries)
        try InsiderChange.check(insiders)
        return try await records.database.write { session throws(RecordsError) in
            try InsiderChange.apply(insiders, session)
            return try DeliveryRecord.append(bound, session)
        }
    }

    /// The history of one person, newest first.
    package func timeline(_ recipient: Recipient, limit: Int = 100, cursor: String? = nil)
        async throws(RecordsError) -> Page<DeliveryRecord>
    {
        var query = DeliveryQuery()
        query.account = recipient.account
        query.person = recipient.person
        return try await find(query, limit: limit, cursor: cursor)
    }

    /// Newest first, by their time.
    ///
    /// - Parameter cursor: `next` of the page before.
    package func find(_ query: DeliveryQuery, limit: Int = 100, cursor: String? = nil)
        async throws(RecordsError) -> Page<DeliveryRecord>
    {
        let after = try cursor.map { text throws(RecordsError) in try PageCursor(text) }
        let limit = Page<DeliveryRecord>.bounded(limit)
        let (sql, values) = query.statement(after: after, limit: limit + 1)
        let rows = try await records.database.read { session throws(RecordsError) in
            try session.rows(sql, values)
        }
        let items = try rows.map { row throws(RecordsError) in try DeliveryRecord(row) }
        return Page(items, limit: limit) { PageCursor(at: $0.at, id: $0.id) }
    }
}

extension DeliveryRecord {
    private static let insert = MultiRow(
        "INSERT INTO deliveries (\(columns.joined(separator: ", "))) VALUES",
        columns: columns.count,
        """
        ON CONFLICT (push, sequence, attempt, state) DO NOTHING
        RETURNING account, state, at, lateness
        """
    )

    /// What ``append(_:_:)`` binds; checked outside of the transaction.
    static func bind(_ deliveries: [DeliveryRecord]) throws(RecordsError) -> [SQLValue] {
        try check(batch: deliveries.count)
        var values: [SQLValue] = []
        values.reserveCapacity(deliveries.count * columns.count)
        for var delivery in deliveries {
            delivery.shorten()
            try delivery.validate()
            values += delivery.values
        }
        return values
    }

    /// - Returns: how many lines were new.
    @discardableResult
    static func append(_ bound: [SQLValue], _ session: any SQLSession) throws(RecordsError) -> Int {
        let new = try insert.rows(session, bound)
        var counts = CounterChanges()
        for row in new {
            counts.add(
                account: row.text(0),
                state: row.text(1),
                at: row.time(2),
                lateness: row.optionalInteger(3)
            )
        }
        try counts.save(session)
        return new.count
    }
}

/// Which deliveries; a field that is `nil` does not matter.
package struct DeliveryQuery: Sendable, Hashable {
    package var account: String?
    package var person: String?
    package var flow: String?
    package var state: DeliveryState?
    package var push: PushID?
    package var from: Timestamp?
    /// Up to, not including.
    package var to: Timestamp?

    package init() {}

    func statement(after: PageCursor?, limit: Int) -> (sql: String, values: [SQLValue]) {
        var terms: [String] = []
        var values: [SQLValue] = []
        func add(_ term: String, _ value: SQLValue?) {
            guard let value else { return }
            terms.append(term)
            values.append(value)
        }
        add("account = ?", account.map { .text($0) })
        add("person = ?", person.map { .text($0) })
        add("flow = ?", flow.map { .text($0) })
        add("state = ?", state.map { .text($0.description) })
        add("push = ?", push.map { .text($0.text) })
        add("at >= ?", from.map { .time($0) })
        add("at < ?", to.map { .time($0) })
        if let after {
            terms.append("(at, id) < (?, ?)")
            values += [.time(after.at), .integer(after.id)]
        }
        let filter = terms.isEmpty ? "" : " WHERE " + terms.joined(separator: " AND ")
        values.append(.integer(limit))
        return (DeliveryRecord.select + filter + " ORDER BY at DESC, id DESC LIMIT ?", values)
    }
}
