extension Schema {
    static let eighth = SQLMigration(
        version: 8,
        name: "topics and their reminders",
        statements: [
            """
            CREATE TABLE topics (
                topic TEXT NOT NULL PRIMARY KEY, account TEXT NOT NULL, state TEXT NOT NULL,
                opening INTEGER NOT NULL, document TEXT NOT NULL,
                revision INTEGER NOT NULL, moved INTEGER NOT NULL,
                created INTEGER NOT NULL, updated INTEGER NOT NULL)
            """,
            "CREATE INDEX topics_by_account ON topics (account, topic)",
            "CREATE INDEX topics_by_opening ON topics (opening)",
            "CREATE INDEX topics_to_move ON topics (topic) WHERE moved < revision",
            """
            CREATE TABLE reminders (
                topic TEXT NOT NULL, person TEXT NOT NULL, account TEXT NOT NULL,
                state TEXT NOT NULL, outcome TEXT, due INTEGER NOT NULL,
                revision INTEGER NOT NULL, since INTEGER NOT NULL, updated INTEGER NOT NULL,
                PRIMARY KEY (topic, person))
            """,
            "CREATE INDEX reminders_by_person ON reminders (account, person)",
            // Counting a topic reads this alone.
            "CREATE INDEX reminders_by_state ON reminders (topic, state, revision)",
        ]
    )
}
