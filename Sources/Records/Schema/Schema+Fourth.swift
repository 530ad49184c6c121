extension Schema {
    static let fourth = SQLMigration(
        version: 4,
        name: "reservations name the use that they hold",
        statements: ["ALTER TABLE reservations ADD COLUMN taken INTEGER"]
    )
}
