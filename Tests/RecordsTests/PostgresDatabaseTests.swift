import BelfryCore
import BelfryPostgresClient
import BelfryPostgresProcess
import Foundation
import Testing

@testable import BelfryRecords

/// What the engine promises that the records' own tests do not see.
@Suite("The records' database on PostgreSQL")
struct PostgresDatabaseTests {
    private static let numbers = SQLMigration(
        version: 1,
        name: "numbers",
        statements: [
            "CREATE TABLE numbers (n INTEGER NOT NULL PRIMARY KEY, value INTEGER NOT NULL)"
        ]
    )

    @Test("opens from several processes at once, and loses no write that read first")
    func writers() async throws {
        let server = try await PostgresProcess()
        defer { server.remove() }
        let databases = try (0..<3).map { _ in try database(server) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for database in databases {
                group.addTask { try await database.migrate([Self.numbers]) }
            }
            try await group.waitForAll()
        }
        try await databases[0].write { session throws(RecordsError) in
            _ = try session.run("INSERT INTO numbers VALUES (1, 0)", [])
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for turn in 0..<60 {
                group.addTask { try await Self.count(databases[turn % 3]) }
            }
            try await group.waitForAll()
        }
        #expect(try await value(databases[0]) == .integer(60))
        #expect(try await databases[0].verify().isEmpty)
        #expect(try await databases[0].size() > 0)
        for database in databases { await database.close() }
    }

    @Test(
        "of people who are looked up no other rows are read, before the table is analyzed and after"
    )
    func plan() async throws {
        let server = try await PostgresProcess()
        defer { server.remove() }
        let database = try database(server)
        try await database.migrate(Schema.migrations)
        try await database.write { session throws(RecordsError) in
            _ = try session.run("ALTER TABLE reminders SET (autovacuum_enabled = false)", [])
            // Two topics of ten thousand people.
            _ = try session.run(
                """
                INSERT INTO reminders (topic, person, account, state, due, revision, since, updated)
                SELECT 't' || n % 2, 'p' || n, 'shop', 'subscribed', 1, 1, 1, 1
                FROM generate_series(1, 20000) n
                """,
                []
            )
        }
        let keys = (0..<64).map { ReminderKey(topic: "t0", person: "p\(($0 + 1) * 100)") }
        /// Often enough that the server settles on one plan for whatever is asked.
        func rowsRead() async throws -> (found: Int, read: Int) {
            try await database.read { session throws(RecordsError) in
                var found = 0
                for _ in 0..<8 {
                    found += try ReminderRecord.load(keys, session).count
                    let people = keys.map { Recipient(account: "shop", person: $0.person) }
                    found += try ReminderRecord.subscribed(people, session).count
                }
                let read = try session.row(
                    """
                    SELECT CAST(seq_tup_read + idx_tup_fetch AS bigint)
                    FROM pg_stat_xact_user_tables WHERE relname = 'reminders'
                    """,
                    []
                )
                return (found, read?.integer(0) ?? 0)
            }
        }
        let fresh = try await rowsRead()
        #expect(fresh.found == 2 * 8 * 64)
        #expect(fresh.read <= fresh.found)
        try await database.write { session throws(RecordsError) in
            _ = try session.run("ANALYZE reminders", [])
        }
        let analyzed = try await rowsRead()
        #expect(analyzed.read <= analyzed.found)
        await database.close()
    }

    @Test("a write that fails undoes itself alone, and none of those committed with it")
    func groups() async throws {
        let server = try await PostgresProcess()
        defer { server.remove() }
        let database = try database(server)
        try await database.migrate([Self.numbers])
        let failed = await withTaskGroup(of: RecordsError?.self) { group in
            for n in 0..<40 {
                group.addTask {
                    await failure {
                        try await database.write { session throws(RecordsError) in
                            try session.run(
                                "INSERT INTO numbers VALUES (?, ?)",
                                [.integer(Int64(n)), .integer(7)]
                            )
                            // Every fourth number is there twice.
                            guard n % 4 == 0 else { return }
                            try session.run(
                                "INSERT INTO numbers VALUES (?, ?)",
                                [.integer(Int64(n)), .integer(8)]
                            )
                        }
                    }
                }
            }
            return await group.reduce(into: [RecordsError]()) {
                if let error = $1 { $0.append(error) }
            }
        }
        #expect(failed.count == 10)
        #expect(failed.allSatisfy { $0.code == .conflict })
        let rows = try await database.read { session throws(RecordsError) in
            try session.rows("SELECT count(*), max(value) FROM numbers", [])
        }
        #expect(rows.first?.values == [.integer(30), .integer(7)])
        await database.close()
    }

    @Test("goes on after the server was restarted, and keeps what it has answered")
    func restarts() async throws {
        let server = try await PostgresProcess()
        defer { server.remove() }
        let database = try database(server)
        try await database.migrate([Self.numbers])
        try await database.write { session throws(RecordsError) in
            _ = try session.run("INSERT INTO numbers VALUES (1, 0)", [])
        }
        for _ in 0..<2 {
            server.kill()
            try await server.restart()
            try await Self.count(database)
        }
        #expect(try await value(database) == .integer(2))
        let copied = await failure { try await database.copy(to: "/nowhere") }
        #expect(copied?.message.contains("pg_dump") == true)
        await database.close()
        let closed = await failure { _ = try await value(database) }
        #expect(closed?.code == .closed)
    }

    @Test("refuses a newer schema, and a name that would need quotes")
    func refusals() async throws {
        let server = try await PostgresProcess()
        defer { server.remove() }
        let database = try database(server)
        let second = SQLMigration(version: 2, name: "more", statements: [])
        try await database.migrate([Self.numbers, second])
        let newer = await failure { try await database.migrate([Self.numbers]) }
        #expect(newer?.code == .newerFormat)
        await database.close()
        let name = await failure { _ = try self.database(server, schema: "a\"b") }
        #expect(name?.code == .invalid)
    }

    // MARK: Helpers

    private func database(_ server: PostgresProcess, schema: String = "records") throws
        -> PostgresDatabase
    {
        try PostgresDatabase(try PostgresAddress(server.address()), schema: schema)
    }

    /// Reads, then writes one more than it has read.
    private static func count(_ database: PostgresDatabase) async throws {
        try await database.write { session throws(RecordsError) in
            let found = try session.rows("SELECT value FROM numbers WHERE n = 1", [])
            guard case .integer(let value) = found.first?.values.first else { return }
            try session.run("UPDATE numbers SET value = ? WHERE n = 1", [.integer(value + 1)])
        }
    }

    private func value(_ database: PostgresDatabase) async throws -> SQLValue? {
        try await database.read { session throws(RecordsError) in
            try session.rows("SELECT value FROM numbers WHERE n = 1", []).first?.values.first
        }
    }
}
