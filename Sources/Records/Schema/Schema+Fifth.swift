extension Schema {
    static let fifth = SQLMigration(
        version: 5,
        name: "markers of erasures",
        statements: [
            "CREATE TABLE erasures (mark BLOB NOT NULL PRIMARY KEY, at INTEGER NOT NULL)",
            "CREATE INDEX erasures_by_age ON erasures (at)",
        ]
    )
}
