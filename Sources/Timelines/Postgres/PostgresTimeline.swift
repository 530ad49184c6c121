package import BelfryCore
package import BelfryPostgresClient
import Synchronization

/// The timeline on a PostgreSQL server: pending pushes as rows of a schema, changed by its functions only (promises T1 to T13).
///
/// `Scripts/tables.sql` draws how they lie there; `Scripts` holds every decision. A call is one statement and one transaction. What is due is decided by the
/// server's clock, how long a lease has lasted by the time that has passed for those who use the schema.
///
/// T1 is as good as the server keeps what it has committed (``PostgresAudit``). A call that fails with `io` may have been carried out. Scheduling again is
/// safe: ids make it the same push; only one that merges joins once more.
package final class PostgresTimeline: Timeline {
    let configuration: PostgresConfiguration
    let clock: PostgresClock
    let pool: PostgresPool
    let book: PostgresBook
    let hints: PostgresHints
    /// What new generations are drawn from: a claim that a crash has undone leaves no number behind that a later one could get.
    private let random: Mutex<SplitMix64>
    private let seed: UInt64

    private init(
        _ address: PostgresAddress,
        _ configuration: PostgresConfiguration,
        _ clock: PostgresClock,
        seed: UInt64
    ) {
        self.configuration = configuration
        self.clock = clock
        book = PostgresBook(clock: clock.steady)
        self.seed = seed
        random = Mutex(SplitMix64(seed: seed))
        let settings = PostgresSettings(configuration)
        pool = PostgresPool(address, settings)
        hints = PostgresHints(address, settings, channel: "\(configuration.schema).due")
    }

    /// Connects, brings the schema about where it is missing, and takes back what this owner held when it ended.
    ///
    /// - Throws: ``TimelineError`` with `io`, `invalid` (a setting, or a database that cannot be used), or `newerFormat`.
    package static func open(
        _ address: PostgresAddress,
        configuration: PostgresConfiguration,
        clock: PostgresClock = .server,
        seed: UInt64
    ) async throws(TimelineError) -> PostgresTimeline {
        let schema = configuration.schema
        guard schema.utf8.count <= 58, let first = schema.utf8.first, !(48...57 ~= first),
            schema.utf8.allSatisfy({ 97...122 ~= $0 || 48...57 ~= $0 || $0 == 95 })
        else {
            throw TimelineError(
                .invalid,
                "schema: 1 to 58 lower-case letters, digits and _ are allowed, no digit first"
            )
        }
        let timeline = PostgresTimeline(address, configuration, clock, seed: seed)
        do throws(TimelineError) { try await timeline.begin() } catch {
            await timeline.close()
            throw error
        }
        return timeline
    }

    private func begin() async throws(TimelineError) {
        try await schema { try $0.prepare() }
        var owner = PostgresParameters()
        owner.append(configuration.owner)
        let opening = try await ask { [owner] connection throws(PostgresFailure) in
            try connection.query("SELECT release($1)", owner).number(0, 0)
        }
        // Not the numbers of an opening before, though it had the same seed.
        var mixed = SplitMix64(seed: UInt64(bitPattern: opening))
        let own = seed ^ mixed.next()
        random.withLock { $0 = SplitMix64(seed: own) }
        _ = try await nextDue()
        if configuration.listens { hints.listen { [weak self] in self?.book.hint($0) } }
    }

    /// From now on the pushes belong to the records that the configuration names, unless they belong to others.
    ///
    /// - Throws: ``TimelineError`` with `invalid` where they do, or `io`.
    package func hold() async throws(TimelineError) { try await schema { try $0.hold() } }

    /// Works on the schema in a transaction.
    private func schema(_ work: @escaping @Sendable (PostgresSchema) throws -> Void)
        async throws(TimelineError)
    {
        let (name, records) = (configuration.schema, configuration.records)
        let refusal = try await ask(isPatient: false) { connection throws(PostgresFailure) in
            do {
                try work(PostgresSchema(name: name, records: records, connection: connection))
                return TimelineError?.none
            } catch let failure as PostgresFailure {
                throw Self.ended(connection, failure)
            } catch {
                _ = Self.ended(connection, PostgresFailure(.invalid, ""))
                return error as? TimelineError ?? TimelineError(.io, "\(error)")
            }
        }
        if let refusal { throw refusal }
    }

    /// Leaves no transaction open on a connection that others will use.
    static func ended(_ connection: PostgresConnection, _ failure: PostgresFailure)
        -> PostgresFailure
    {
        // A connection that cannot roll back is broken, and is not used again.
        if connection.isInTransaction { try? connection.run("ROLLBACK") }
        return failure
    }

    /// Ends the connections. What is held stays held until its leases end, or until this owner opens the timeline again.
    package func close() async {
        book.board.close()
        await hints.close()
        await pool.close()
    }

    /// Says when a look is worth while.
    package var alarm: PostgresAlarm { PostgresAlarm(book: book, clock: clock.steady) }

    // MARK: Calls

    /// The parameters that every function begins with: whose time counts, and how much has passed.
    var moment: PostgresParameters {
        var parameters = PostgresParameters()
        parameters.append(clock.given)
        parameters.append(book.steady)
        return parameters
    }

    /// A number that no claim of this push has had, and the numbers after it.
    func nextGeneration() -> Int64 {
        random.withLock { Int64.random(in: 1..<1 << 62, using: &$0) }
    }

    /// Runs a call on a connection. Two that meet on the same ids or merge groups may have to be repeated; nothing is done then.
    func ask<Value: Sendable>(
        isRead: Bool = false,
        isPatient: Bool = true,
        _ work: @escaping @Sendable (PostgresConnection) throws(PostgresFailure) -> Value
    ) async throws(TimelineError) -> Value {
        do throws(PostgresFailure) {
            return try await pool.run(
                isRead: isRead,
                again: ["23505"],
                isPatient: isPatient,
                work
            )
        } catch { throw error.timelineError }
    }

    /// What a function's number means.
    static func known<Outcome: RawRepresentable<UInt8>>(_ code: Int64) throws(TimelineError)
        -> Outcome
    {
        guard let raw = UInt8(exactly: code), let outcome = Outcome(rawValue: raw) else {
            throw TimelineError(.corrupt, "PostgreSQL gave an outcome that is not known: \(code)")
        }
        return outcome
    }
}

extension PostgresSettings {
    fileprivate init(_ configuration: PostgresConfiguration) {
        self.init()
        connections = configuration.connections
        connectTimeout = configuration.connectTimeout
        commandTimeout = configuration.commandTimeout
        patience = configuration.patience
        parameters = [
            "search_path": configuration.schema,
            "timezone": "UTC",
            // Everything that is looked for has an index; statistics of a table that fills and empties within minutes say nothing.
            "enable_seqscan": "off", "jit": "off", "plan_cache_mode": "force_generic_plan",
            "default_transaction_isolation": "read committed",
        ]
    }
}

extension PostgresFailure {
    /// What the timeline's callers are told.
    package var timelineError: TimelineError {
        let said = "PostgreSQL: \(message)"
        switch code {
        case .closed: return TimelineError(.closed, message)
        case .invalid: return TimelineError(.invalid, message)
        case .notConnected, .noAnswer: return TimelineError(.io, said)
        case .refused("BF001"): return TimelineError(.invalid, message)
        // Of data and of an index.
        case .refused("XX001"), .refused("XX002"): return TimelineError(.corrupt, said)
        // 53: disk, memory, connections.
        case .refused: return TimelineError(stateClass == "53" ? .full : .io, said)
        }
    }
}
