/// A table as the database describes it.
package struct SQLTable: Sendable, Hashable {
    package struct Column: Sendable, Hashable {
        package var name: String
        /// In the database's own words.
        package var type: String
    }

    package var name: String
    package var columns: [Column] = []
    /// The primary key, in its order.
    package var key: [Column] = []
    /// The column that the database counts up.
    package var counted: String?

    var names: String { Self.list(columns) }
    var keyNames: String { Self.list(key) }
    /// Where the changes of the table are noted while it is moved.
    var changes: String { "changes_\(name)" }

    private static func list(_ columns: [Column]) -> String {
        columns.map(\.name).joined(separator: ", ")
    }

    /// The primary key of a row, as it lies.
    func key(of row: SQLRow) -> [SQLValue] {
        key.map { part in row.values[columns.firstIndex(of: part) ?? 0] }
    }

    /// - Parameter rows: table, column, type, place in the primary key (0: none), whether it is counted up; in the order of the columns.
    static func read(_ rows: [SQLRow]) -> [SQLTable] {
        var tables: [SQLTable] = []
        var places: [[(place: Int, column: Column)]] = []
        for row in rows {
            if tables.last?.name != row.text(0) {
                tables.append(SQLTable(name: row.text(0)))
                places.append([])
            }
            let column = Column(name: row.text(1), type: row.text(2))
            let last = tables.count - 1
            tables[last].columns.append(column)
            if row.integer(3) > 0 { places[last].append((row.integer(3), column)) }
            if row.flag(4) { tables[last].counted = column.name }
        }
        for index in tables.indices {
            tables[index].key = places[index].sorted { $0.place < $1.place }.map(\.column)
        }
        return tables
    }
}

/// What of a move each database says in its own words.
package protocol MovingWords: Sendable {
    /// A query for ``SQLTable/read(_:)``.
    var tables: String { get }
    /// Statements that note the primary key of every row that is written or deleted from now on.
    func watch(_ table: SQLTable) -> [String]
    /// Ends that; harmless where there is nothing to end.
    func unwatch(_ table: SQLTable) -> [String]
    /// Lets nobody write to a table any more.
    func fence(_ table: SQLTable) -> [String]
    /// Ends that; harmless where there is nothing to end.
    func unfence(_ table: SQLTable) -> [String]
    /// `INSERT INTO … VALUES` that also takes what the database would count by itself.
    func insertion(into table: SQLTable) -> String
    /// Reads, and sets to what is bound to every `?`, the last number that a counted column was given.
    func counter(of table: SQLTable, column: String) -> (read: String, set: [String])
}

extension SQLTable {
    /// The statement that makes the table of changes, in portable words.
    var changesTable: String {
        let columns = key.map { "\($0.name) \($0.type) NOT NULL" }.joined(separator: ", ")
        return "CREATE TABLE \(changes) (change IDENTITY, \(columns))"
    }

    /// `(NEW.account, NEW.person)`
    func key(of version: String) -> String {
        "(" + key.map { "\(version).\($0.name)" }.joined(separator: ", ") + ")"
    }
}
