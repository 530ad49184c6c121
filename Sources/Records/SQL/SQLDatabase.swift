/// The seam under the records: a database that speaks SQL. SQLite stands behind it on one machine, PostgreSQL in a cluster.
///
/// The SQL text is one for both: positional `?`, the types `INTEGER` (64 bits), `TEXT`, `BLOB`, `ON CONFLICT … DO UPDATE`, `RETURNING`;
/// no function that only one of them knows. Where their words differ, ``SQLMigration`` says how an engine translates.
package protocol SQLDatabase: AnyObject, Sendable {
    /// Runs `work` in a transaction and returns after it is durable.
    ///
    /// Writes that arrive together share one transaction and one sync (group commit); each is isolated in a savepoint, so that one that
    /// throws undoes only itself. `work` runs on the writer's own thread, may run a second time if the shared transaction failed, and
    /// must not block.
    ///
    /// - Throws: what `work` throws, or why the transaction could not be committed.
    @discardableResult
    func write<Value: Sendable>(
        _ work: @escaping @Sendable (any SQLSession) throws(RecordsError) -> Value
    ) async throws(RecordsError) -> Value

    /// Runs `work` on one consistent snapshot, beside the writer.
    func read<Value: Sendable>(
        _ work: @escaping @Sendable (any SQLSession) throws(RecordsError) -> Value
    ) async throws(RecordsError) -> Value

    /// What a move of the records says in this database's own words.
    var moving: any MovingWords { get }

    /// Brings the schema up to the last of `migrations`, each in a transaction of its own.
    ///
    /// - Throws: `newerFormat` where the database knows a migration that is not among them.
    func migrate(_ migrations: [SQLMigration]) async throws(RecordsError)

    /// Brings what was committed from the engine's log to where it rests, as far as that holds nobody up. Nothing depends on it but how much
    /// lies in the log.
    ///
    /// - Parameter fully: also wait for readers, and empty the log.
    func foldLog(fully: Bool) async

    /// Writes a copy of everything committed so far, as one snapshot, into a new file, synced; beside other work.
    ///
    /// - Throws: `full` or `io`; what was written then is of no use.
    func copy(to path: String) async throws(RecordsError)

    /// Finishes what was asked, then lets go of the files; later calls throw `closed`.
    func close() async

    /// Transactions committed since the database was opened: fewer than writes when they are grouped.
    var commits: Int { get }

    /// Writes that no transaction has taken up yet: the writer's backlog.
    var waitingWrites: Int { get }

    /// Reads everything and checks that it fits together. Slow; for `belfry doctor`.
    ///
    /// - Returns: what is wrong, in the database's words; empty: nothing.
    func verify() async throws(RecordsError) -> [String]

    /// What the stored data takes on disk, in bytes, as far as it has been folded into its file.
    func size() async throws(RecordsError) -> Int

    /// Checks the structure of every table, one after another, so that no look at the data is held for long. Reads the whole file, beside
    /// other work.
    ///
    /// - Returns: as ``verify()``.
    func verifyStructure() async throws(RecordsError) -> [String]
}

/// A connection inside a transaction; used only where it was given.
package protocol SQLSession {
    /// Runs a statement that returns nothing.
    ///
    /// - Returns: how many rows it changed.
    @discardableResult
    func run(_ sql: String, _ parameters: [SQLValue]) throws(RecordsError) -> Int

    /// Runs a statement and returns all its rows: a query with a `LIMIT`, or a write with `RETURNING`.
    func rows(_ sql: String, _ parameters: [SQLValue]) throws(RecordsError) -> [SQLRow]
}

extension SQLSession {
    func row(_ sql: String, _ parameters: [SQLValue]) throws(RecordsError) -> SQLRow? {
        try rows(sql, parameters).first
    }
}
