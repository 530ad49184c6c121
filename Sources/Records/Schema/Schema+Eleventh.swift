extension Schema {
    static let eleventh = SQLMigration(
        version: 11,
        name:
            "what servers read anew, who made a reservation, and an index that looks for people leave alone",
        statements: [
            """
            CREATE TABLE book_changes (
                book TEXT NOT NULL, entry TEXT NOT NULL, number INTEGER NOT NULL,
                PRIMARY KEY (book, entry))
            """,
            "ALTER TABLE reservations ADD COLUMN maker TEXT",
            "CREATE INDEX book_changes_by_number ON book_changes (number)",
            // With the topic first, PostgreSQL took it to look people up by topic and name as long as it had not analyzed the table, and read the
            // whole topic for a few of them.
            "DROP INDEX reminders_by_state",
            "CREATE INDEX reminders_by_standing ON reminders (state, topic, revision)",
        ]
    )
}
