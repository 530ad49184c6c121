extension Schema {
    static let tenth = SQLMigration(
        version: 10,
        name: "servers over the same records, and where records were moved",
        statements: [
            """
            CREATE TABLE nodes (
                node TEXT NOT NULL PRIMARY KEY, revision INTEGER NOT NULL,
                applied INTEGER NOT NULL, seen INTEGER NOT NULL, shards INTEGER)
            """,
            // At most one row each: what a move of the records has come to.
            "CREATE TABLE moves (role TEXT NOT NULL PRIMARY KEY, place TEXT NOT NULL, at INTEGER NOT NULL)",
        ]
    )
}
