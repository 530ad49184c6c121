extension SQLiteDatabase {
    package func migrate(_ migrations: [SQLMigration]) async throws(RecordsError) {
        let done = try await write { session throws(RecordsError) in
            try session.run(
                """
                CREATE TABLE IF NOT EXISTS belfry_schema
                    (version INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL)
                """,
                []
            )
            let rows = try session.rows("SELECT version FROM belfry_schema", [])
            return Set(rows.map { $0.integer(0) })
        }
        let newest = migrations.map(\.version).max() ?? 0
        if let newer = done.max(), newer > newest {
            throw RecordsError(
                .newerFormat,
                "the records have schema \(newer), this program knows schema \(newest) at most"
            )
        }
        for migration in migrations where !done.contains(migration.version) {
            try await apply(migration)
        }
    }

    private func apply(_ migration: SQLMigration) async throws(RecordsError) {
        try await write { session throws(RecordsError) in
            for statement in migration.statements {
                try session.run(SQLDialect.sqlite.translate(statement), [])
            }
            try session.run(
                "INSERT INTO belfry_schema (version, name) VALUES (?, ?)",
                [.integer(migration.version), .text(migration.name)]
            )
        }
    }
}
