/// What of a move SQLite says in its own words.
struct SQLiteMoving: MovingWords {
    let tables = """
        SELECT m.name, c.name, c.type, c.pk, c.pk = 1 AND m.sql LIKE '%AUTOINCREMENT%'
        FROM sqlite_master m, pragma_table_info(m.name) c
        WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%'
        ORDER BY m.name, c.cid
        """

    private static let events = ["INSERT", "UPDATE", "DELETE"]

    func watch(_ table: SQLTable) -> [String] {
        [SQLDialect.sqlite.translate(table.changesTable)]
            + Self.events.map { event in
                // The old key, too: an update may have moved the row to another.
                let versions =
                    event == "INSERT" ? ["NEW"] : event == "DELETE" ? ["OLD"] : ["OLD", "NEW"]
                let notes = versions.map {
                    "INSERT INTO \(table.changes) (\(table.keyNames)) VALUES \(table.key(of: $0));"
                }
                return """
                    CREATE TRIGGER changed_\(table.name)_\(event) AFTER \(event) ON \(table.name)
                    BEGIN \(notes.joined(separator: " ")) END
                    """
            }
    }

    func unwatch(_ table: SQLTable) -> [String] {
        Self.events.map { "DROP TRIGGER IF EXISTS changed_\(table.name)_\($0)" }
            + ["DROP TABLE IF EXISTS \(table.changes)"]
    }

    func unfence(_ table: SQLTable) -> [String] {
        Self.events.map { "DROP TRIGGER IF EXISTS moved_\(table.name)_\($0)" }
    }

    func fence(_ table: SQLTable) -> [String] {
        Self.events.map { event in
            """
            CREATE TRIGGER moved_\(table.name)_\(event) BEFORE \(event) ON \(table.name)
            BEGIN SELECT RAISE(ABORT, 'the records have moved'); END
            """
        }
    }

    func insertion(into table: SQLTable) -> String {
        "INSERT INTO \(table.name) (\(table.names)) VALUES"
    }

    func counter(of table: SQLTable, column: String) -> (read: String, set: [String]) {
        (
            "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = '\(table.name)'",
            [
                "DELETE FROM sqlite_sequence WHERE name = '\(table.name)'",
                "INSERT INTO sqlite_sequence (name, seq) VALUES ('\(table.name)', ?)",
            ]
        )
    }
}
