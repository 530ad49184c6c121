extension Schema {
    static let seventh = SQLMigration(
        version: 7,
        name: "deliveries keep the time asked for",
        statements: [
            "ALTER TABLE deliveries ADD COLUMN asked INTEGER",
            "ALTER TABLE deliveries ADD COLUMN held_for TEXT",
        ]
    )
}
