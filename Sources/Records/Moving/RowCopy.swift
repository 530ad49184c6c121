/// Copies rows of one table from one database to another, and looks at what has arrived.
struct RowCopy: Sendable {
    /// Rows that go at once: a transaction of some milliseconds.
    static let page = 500

    let table: SQLTable
    private let insertion: MultiRow
    private let deletion: String

    /// - Parameter words: of the database that is written to.
    init(_ table: SQLTable, _ words: any MovingWords) {
        self.table = table
        // What is in the way is a row that has changed since: its change is noted, and comes by itself.
        insertion = MultiRow(
            words.insertion(into: table),
            columns: table.columns.count,
            "ON CONFLICT DO NOTHING"
        )
        deletion = "DELETE FROM \(table.name) WHERE \(Self.isKey(table))"
    }

    private static func isKey(_ table: SQLTable) -> String {
        table.key.map { "\($0.name) = ?" }.joined(separator: " AND ")
    }

    // MARK: Pages

    /// The rows behind a key, in the order of the primary key.
    ///
    /// - Parameters:
    ///   - key: `nil`: from the first.
    ///   - last: up to this key; `nil`: so many as a page has.
    func rows(
        in database: any SQLDatabase,
        after key: [SQLValue]?,
        upTo last: [SQLValue]? = nil
    ) async throws(RecordsError) -> [SQLRow] {
        let names = "(\(table.keyNames))"
        let places = "(" + table.key.map { _ in "?" }.joined(separator: ", ") + ")"
        let bounds = [
            key.map { _ in "\(names) > \(places)" }, last.map { _ in "\(names) <= \(places)" },
        ]
        let condition = bounds.compactMap { $0 }.joined(separator: " AND ")
        let query = """
            SELECT \(table.names) FROM \(table.name) \(condition.isEmpty ? "" : "WHERE \(condition)")
            ORDER BY \(table.keyNames) \(last == nil ? "LIMIT \(Self.page)" : "")
            """
        let values = (key ?? []) + (last ?? [])
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

    /// What was noted behind a number, oldest first: at most a page of it, with the rows as they are now. A key without a row was deleted.
    func changes(in database: any SQLDatabase, after number: Int) async throws(RecordsError) -> (
        last: Int, rows: [[SQLValue]: SQLRow?]
    ) {
        let query = """
            SELECT change, \(table.keyNames) FROM \(table.changes) WHERE change > ?
            ORDER BY change LIMIT \(Self.page)
            """
        let row = "SELECT \(table.names) FROM \(table.name) WHERE \(Self.isKey(table))"
        return try await database.read { session throws(RecordsError) in
            let noted = try session.rows(query, [.integer(number)])
            var rows: [[SQLValue]: SQLRow?] = [:]
            for change in noted {
                let key = Array(change.values.dropFirst())
                if rows[key] == nil { rows.updateValue(try session.row(row, key), forKey: key) }
            }
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
            for key in rows.keys { try session.run(deletion, key) }
            try insertion.run(session, rows.values.flatMap { $0?.values ?? [] })
        }
        let row = "SELECT \(table.names) FROM \(table.name) WHERE \(Self.isKey(table))"
        return try await database.read { session throws(RecordsError) in
            var differing: Set<[SQLValue]> = []
            for (key, wanted) in rows where try session.row(row, key) != wanted {
                differing.insert(key)
            }
            return differing
        }
    }
}
