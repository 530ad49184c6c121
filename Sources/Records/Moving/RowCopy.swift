/// Copies rows of one table from one database to another, and looks at what has arrived.
struct RowCopy: Sendable {
    /// Rows that go at once: a transaction of some milliseconds.
    static let page = 500

    let table: SQLTable
    private let insertion: MultiRow
    private let deletion: MultiRow
    private let selection: MultiRow

    /// - Parameter words: of the database that is written to.
    init(_ table: SQLTable, _ words: any MovingWords) {
        self.table = table
        // What is in the way is a row that has changed since: its change is noted, and comes by itself.
        insertion = MultiRow(
            words.insertion(into: table),
            columns: table.columns.count,
            "ON CONFLICT DO NOTHING"
        )
        let key = table.key.map(\.name)
        deletion = MultiRow("DELETE FROM \(table.name) WHERE", equal: key)
        selection = MultiRow("SELECT \(table.names) FROM \(table.name) WHERE", equal: key)
    }

    // MARK: Pages

    /// The greatest primary key there is; `nil`: the table is empty.
    func lastKey(in database: any SQLDatabase) async throws(RecordsError) -> [SQLValue]? {
        let order = table.key.map { "\($0.name) DESC" }.joined(separator: ", ")
        let query = "SELECT \(table.keyNames) FROM \(table.name) ORDER BY \(order) LIMIT 1"
        return try await database.read { session throws(RecordsError) in
            try session.row(query, [])?.values
        }
    }

    /// The rows of a range, in the order of the primary key.
    ///
    /// - Parameters:
    ///   - first: behind this key; `nil`: from the first.
    ///   - last: up to this key.
    ///   - limit: at most so many; `nil`: all.
    func rows(
        in database: any SQLDatabase,
        after first: [SQLValue]?,
        upTo last: [SQLValue],
        limit: Int? = page
    ) async throws(RecordsError) -> [SQLRow] {
        let places = "(" + table.key.map { _ in "?" }.joined(separator: ", ") + ")"
        let behind = first.map { _ in "(\(table.keyNames)) > \(places) AND" } ?? ""
        let query = """
            SELECT \(table.names) FROM \(table.name)
            WHERE \(behind) (\(table.keyNames)) <= \(places)
            ORDER BY \(table.keyNames) \(limit.map { "LIMIT \($0)" } ?? "")
            """
        let values = (first ?? []) + last
        return try await database.read { session throws(RecordsError) in
            try session.rows(query, values)
        }
    }

    func insert(_ rows: [SQLRow], into database: any SQLDatabase) async throws(RecordsError) {
        let insertion = insertion
        try await database.write { session throws(RecordsError) in
            try insertion.run(session, rows.flatMap(\.values))
        }
    }

    // MARK: Changes

    /// The number of the newest change that was noted.
    func lastChange(in database: any SQLDatabase) async throws(RecordsError) -> Int {
        let query = "SELECT max(change) FROM \(table.changes)"
        return try await database.read { session throws(RecordsError) in
            try session.row(query, [])?.integer(0) ?? 0
        }
    }

    /// What was noted behind a number, oldest first: at most a page of it, with the rows as they are now. A key without a row was deleted.
    func changes(in database: any SQLDatabase, after number: Int) async throws(RecordsError) -> (
        last: Int, rows: [[SQLValue]: SQLRow?]
    ) {
        let query = """
            SELECT change, \(table.keyNames) FROM \(table.changes) WHERE change > ?
            ORDER BY change LIMIT \(Self.page)
            """
        return try await database.read { session throws(RecordsError) in
            let noted = try session.rows(query, [.integer(number)])
            let keys = Set(noted.map { Array($0.values.dropFirst()) })
            let found = try self.rows(of: keys, session)
            let rows = Dictionary(uniqueKeysWithValues: keys.map { ($0, found[$0]) })
            return (noted.last?.integer(0) ?? number, rows)
        }
    }

    /// Makes rows in another database as they were found, and looks whether they are.
    ///
    /// - Returns: keys whose rows differ all the same: something else is in their way.
    func apply(_ rows: [[SQLValue]: SQLRow?], to database: any SQLDatabase)
        async throws(RecordsError) -> Set<[SQLValue]>
    {
        let (insertion, deletion) = (insertion, deletion)
        try await database.write { session throws(RecordsError) in
            try deletion.run(session, rows.keys.flatMap { $0 })
            try insertion.run(session, rows.values.flatMap { $0?.values ?? [] })
        }
        let there = try await database.read { session throws(RecordsError) in
            try self.rows(of: Set(rows.keys), session)
        }
        return Set(rows.filter { there[$0.key] != $0.value }.keys)
    }

    private func rows(of keys: Set<[SQLValue]>, _ session: any SQLSession) throws(RecordsError)
        -> [[SQLValue]: SQLRow]
    {
        let rows = try selection.rows(session, keys.flatMap { $0 })
        return Dictionary(uniqueKeysWithValues: rows.map { (table.key(of: $0), $0) })
    }
}
