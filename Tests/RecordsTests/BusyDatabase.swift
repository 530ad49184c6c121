import BelfryCore
import Synchronization

@testable import BelfryRecords

/// A database that others write to whenever it is read: as fast as anybody can read it.
final class BusyDatabase: SQLDatabase {
    private let database: any SQLDatabase
    private let others: @Sendable () async throws(RecordsError) -> Void
    private let isQuiet = Atomic(true)

    init(
        _ database: any SQLDatabase,
        others: @escaping @Sendable () async throws(RecordsError) -> Void
    ) {
        self.database = database
        self.others = others
    }

    func set(quiet: Bool) { isQuiet.store(quiet, ordering: .relaxed) }

    func read<Value: Sendable>(
        _ work: @escaping @Sendable (any SQLSession) throws(RecordsError) -> Value
    ) async throws(RecordsError) -> Value {
        if !isQuiet.load(ordering: .relaxed) { try await others() }
        return try await database.read(work)
    }

    @discardableResult
    func write<Value: Sendable>(
        _ work: @escaping @Sendable (any SQLSession) throws(RecordsError) -> Value
    ) async throws(RecordsError) -> Value {
        try await database.write(work)
    }

    var moving: any MovingWords { database.moving }
    var commits: Int { database.commits }
    var waitingWrites: Int { database.waitingWrites }

    func migrate(_ migrations: [SQLMigration]) async throws(RecordsError) {
        try await database.migrate(migrations)
    }
    func foldLog(fully: Bool) async { await database.foldLog(fully: fully) }
    func copy(to path: String) async throws(RecordsError) { try await database.copy(to: path) }
    func close() async { await database.close() }
    func verify() async throws(RecordsError) -> [String] { try await database.verify() }
    func size() async throws(RecordsError) -> Int { try await database.size() }
    func verifyStructure() async throws(RecordsError) -> [String] {
        try await database.verifyStructure()
    }
}
