extension Schema {
    static let third = SQLMigration(
        version: 3,
        name: "reservations say which send they are for",
        statements: [
            "ALTER TABLE reservations ADD COLUMN channel TEXT",
            "ALTER TABLE reservations ADD COLUMN due INTEGER",
            "ALTER TABLE reservations ADD COLUMN attempt INTEGER",
            "ALTER TABLE reservations ADD COLUMN flow TEXT",
            "ALTER TABLE reservations ADD COLUMN step TEXT",
        ]
    )
}
