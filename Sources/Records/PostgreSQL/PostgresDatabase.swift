package import BelfryPostgresClient
import Synchronization

/// The records' database on a PostgreSQL server: one schema, one writer that groups writes, readers on snapshots beside it. Whoever writes waits for
/// others who write to the same schema, so that SQL written for a single writer stays right.
package final class PostgresDatabase: SQLDatabase {
    let schema: String
    private let writer: PostgresPool
    private let readers: PostgresPool
    private let queue = WriteQueue()
    private let committed = Atomic<Int>(0)

    package var commits: Int { committed.load(ordering: .relaxed) }
    package var waitingWrites: Int { queue.count }
    package var moving: any MovingWords { PostgresMoving() }

    /// Connects when there is something to do; `migrate` comes next.
    ///
    /// - Parameter schema: lower-case letters, digits and `_`.
    package init(_ address: PostgresAddress, schema: String) throws(RecordsError) {
        guard let first = schema.utf8.first, schema.utf8.count <= 63, !(48...57 ~= first),
            schema.utf8.allSatisfy({ 97...122 ~= $0 || 48...57 ~= $0 || $0 == 95 })
        else {
            throw RecordsError(
                .invalid,
                "schema: 1 to 63 lower-case letters, digits and _ are allowed, no digit first"
            )
        }
        self.schema = schema
        var settings = PostgresSettings()
        settings.parameters = [
            "search_path": schema, "timezone": "UTC",
            "default_transaction_isolation": "read committed",
            // Rows are looked up by key. Of a table that it has not analyzed the server believes that reading it whole is cheaper than a step into an index for each key.
            "enable_hashjoin": "off", "enable_mergejoin": "off", "random_page_cost": "1.1",
        ]
        settings.connections = 1
        writer = PostgresPool(address, settings)
        settings.connections = 3
        readers = PostgresPool(address, settings)
    }

    @discardableResult
    package func write<Value: Sendable>(
        _ work: @escaping @Sendable (any SQLSession) throws(RecordsError) -> Value
    ) async throws(RecordsError) -> Value {
        let result: Result<Value, RecordsError> = await withCheckedContinuation { continuation in
            let write = WaitingWrite { session throws(RecordsError) in
                let value = try work(session)
                return { continuation.resume(returning: .success(value)) }
            } fail: { error in
                continuation.resume(returning: .failure(error))
            }
            switch queue.add(write) {
            case .queued: break
            case .first: Task { await empty() }
            case .refused(let error): write.fail(error)
            }
        }
        return try result.get()
    }

    /// One hop to the writer's thread for as many groups as arrive meanwhile.
    private func empty() async {
        do throws(PostgresFailure) {
            try await writer.run { [self] connection throws(PostgresFailure) in
                let session = PostgresSession(connection: connection, schema: schema)
                let commit = GroupCommit(session: session) {
                    self.committed.add(1, ordering: .relaxed)
                }
                while true {
                    let group = queue.next()
                    if group.isEmpty { return }
                    commit.run(group)
                    guard !connection.isLost else {
                        // On another connection, then, with those who wait.
                        throw PostgresFailure(.notConnected, "the connection was lost")
                    }
                }
            }
        } catch {
            while case let group = queue.next(), !group.isEmpty {
                for write in group { write.fail(RecordsError(postgres: error)) }
            }
        }
    }

    package func read<Value: Sendable>(
        _ work: @escaping @Sendable (any SQLSession) throws(RecordsError) -> Value
    ) async throws(RecordsError) -> Value {
        if queue.isClosed { throw RecordsError(.closed, "the records are closed") }
        let result: Result<Value, RecordsError>
        do throws(PostgresFailure) {
            result = try await readers.run(isRead: true) {
                [self] connection throws(PostgresFailure) in
                let session = PostgresSession(connection: connection, schema: schema)
                let result = Result { () throws(RecordsError) in
                    try session.run("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY", [])
                    let value = try work(session)
                    try session.commit()
                    return value
                }
                session.rollBack()
                if connection.isLost {
                    throw PostgresFailure(.noAnswer, "the connection was lost")
                }
                return result
            }
        } catch { throw RecordsError(postgres: error) }
        return try result.get()
    }

    package func close() async {
        guard await queue.close() else { return }
        await writer.close()
        await readers.close()
    }

    // MARK: What is the server's business

    /// PostgreSQL folds its log by itself.
    package func foldLog(fully: Bool) async {}

    package func copy(to path: String) async throws(RecordsError) {
        throw RecordsError(
            .invalid,
            "the records lie in PostgreSQL: copy the schema \(schema) with pg_dump"
        )
    }

    package func size() async throws(RecordsError) -> Int {
        try await read { session throws(RecordsError) in
            try session.row(
                """
                SELECT CAST(coalesce(sum(pg_total_relation_size(oid)), 0) AS bigint) FROM pg_class
                WHERE relkind = 'r' AND relnamespace = to_regnamespace(current_schema())
                """,
                []
            )?.integer(0) ?? 0
        }
    }

    /// Reads every row of every table: the server checks its pages, where they carry checksums, and its values on the way.
    package func verify() async throws(RecordsError) -> [String] {
        let tables = try await read { session throws(RecordsError) in
            try session.rows(
                """
                SELECT CAST(relname AS text) FROM pg_class
                WHERE relkind = 'r' AND relnamespace = to_regnamespace(current_schema())
                """,
                []
            ).map { $0.text(0) }
        }
        var problems: [String] = []
        for table in tables where !Task.isCancelled {
            do throws(RecordsError) {
                _ = try await read { session throws(RecordsError) in
                    try session.rows(
                        "SELECT count(*), max(length(CAST(t AS text))) FROM \"\(table)\" AS t",
                        []
                    )
                }
            } catch {
                guard error.code == .corrupt else { throw error }
                problems.append("\(table): \(error.message)")
            }
        }
        return problems
    }

    package func verifyStructure() async throws(RecordsError) -> [String] { try await verify() }

    // MARK: The schema

    /// Whether all migrations were done here; changes nothing.
    ///
    /// - Throws: `newerFormat`, or `io`.
    func isUpToDate(_ migrations: [SQLMigration]) async throws(RecordsError) -> Bool {
        let done = try await read { session throws(RecordsError) in
            let isThere = try session.row(
                "SELECT to_regclass('belfry_schema') IS NOT NULL",
                []
            )
            guard isThere?.flag(0) == true else { return Set<Int>() }
            return Set(try session.rows(Self.versions, []).map { $0.integer(0) })
        }
        try Self.requireKnown(done, migrations)
        return migrations.allSatisfy { done.contains($0.version) }
    }

    private static func requireKnown(_ done: Set<Int>, _ migrations: [SQLMigration])
        throws(RecordsError)
    {
        let newest = migrations.map(\.version).max() ?? 0
        guard let newer = done.max(), newer > newest else { return }
        throw RecordsError(
            .newerFormat,
            "the records have schema \(newer), this program knows schema \(newest) at most"
        )
    }

    package func migrate(_ migrations: [SQLMigration]) async throws(RecordsError) {
        let name = schema
        let done = try await write { session throws(RecordsError) in
            let isThere = try session.rows("SELECT to_regnamespace(?) IS NOT NULL", [.text(name)])
            if isThere.first?.flag(0) != true { try session.run("CREATE SCHEMA \(name)", []) }
            try session.run(
                """
                CREATE TABLE IF NOT EXISTS belfry_schema
                    (version bigint NOT NULL PRIMARY KEY, name text NOT NULL)
                """,
                []
            )
            return Set(try session.rows(Self.versions, []).map { $0.integer(0) })
        }
        try Self.requireKnown(done, migrations)
        for migration in migrations where !done.contains(migration.version) {
            try await apply(migration)
        }
    }

    private static let versions = "SELECT version FROM belfry_schema"

    /// Another process may have been first: whoever writes second sees it.
    private func apply(_ migration: SQLMigration) async throws(RecordsError) {
        try await write { session throws(RecordsError) in
            let known = try session.rows(Self.versions, []).map { $0.integer(0) }
            guard !known.contains(migration.version) else { return }
            for statement in migration.statements {
                try session.run(SQLDialect.postgres.translate(statement), [])
            }
            try session.run(
                "INSERT INTO belfry_schema (version, name) VALUES (?, ?)",
                [.integer(migration.version), .text(migration.name)]
            )
        }
    }
}
