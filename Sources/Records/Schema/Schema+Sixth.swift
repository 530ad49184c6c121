extension Schema {
    static let sixth = SQLMigration(
        version: 6,
        name: "who is inside which flow",
        statements: [
            """
            CREATE TABLE insiders (
                account TEXT NOT NULL, flow TEXT NOT NULL, person TEXT NOT NULL,
                due INTEGER NOT NULL,
                PRIMARY KEY (account, flow, person))
            """,
            "CREATE INDEX insiders_by_person ON insiders (account, person)",
            // Everybody who may be: who is not is found out when the index is read.
            """
            INSERT INTO insiders (account, flow, person, due)
            SELECT account, flow, person, max(due) FROM deliveries
            WHERE flow IS NOT NULL AND state = 'scheduled' GROUP BY account, flow, person
            """,
        ]
    )
}
