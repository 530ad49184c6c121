extension Schema {
    static let ninth = SQLMigration(
        version: 9,
        name: "pushes that are being moved between timelines, and who takes part",
        statements: [
            """
            CREATE TABLE moving (
                push TEXT NOT NULL PRIMARY KEY, merges TEXT NOT NULL, body BLOB NOT NULL)
            """,
            "CREATE INDEX moving_by_group ON moving (merges) WHERE merges <> ''",
            """
            CREATE TABLE timeline_nodes (
                node TEXT NOT NULL PRIMARY KEY, epoch INTEGER NOT NULL, beat INTEGER NOT NULL)
            """,
            "CREATE TABLE leads (name TEXT NOT NULL PRIMARY KEY, node TEXT NOT NULL, beat INTEGER NOT NULL)",
        ]
    )
}
