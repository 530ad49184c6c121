import Foundation
import GRDB
import Synchronization

/// The records' database on one machine: SQLite in WAL mode, one writer that groups writes, readers on snapshots beside it.
package final class SQLiteDatabase: SQLDatabase {
    private let pool: DatabasePool
    private let queue = WriteQueue()
    private let committed = Atomic<Int>(0)

    package var commits: Int { committed.load(ordering: .relaxed) }
    package var waitingWrites: Int { queue.count }
    package var moving: any MovingWords { SQLiteMoving() }

    /// Opens or makes the file. Blocks for a few milliseconds; `migrate` comes next.
    ///
    /// - Parameter bytesLimit: above this size, writes are refused as `full`; `nil`: the disk is the limit.
    package init(path: String, bytesLimit: Int? = nil) throws(RecordsError) {
        try FileAccess.prepare(path)
        var configuration = Configuration()
        configuration.label = "belfry.records"
        configuration.maximumReaderCount = 4
        // The timeline's lock keeps a second server out; this is for `belfry doctor` or a backup beside a running one.
        configuration.busyMode = .timeout(5)
        configuration.qos = .userInitiated
        do {
            pool = try DatabasePool(path: path, configuration: configuration)
            try pool.writeWithoutTransaction { try Self.setUp($0, bytesLimit: bytesLimit) }
        } catch { throw RecordsError(sqlite: error) }
    }

    /// GRDB's WAL mode comes with `synchronous = NORMAL`, which loses the last commits with the power: what is acknowledged here
    /// (a callback, a reservation) must not be lost. Readers sync nothing.
    private static func setUp(_ database: Database, bytesLimit: Int?) throws {
        try database.execute(sql: "PRAGMA synchronous = FULL")
        // 16 MiB of WAL between checkpoints: index pages that many commits touch are copied back once.
        try database.execute(sql: "PRAGMA wal_autocheckpoint = 4096")
        try database.execute(sql: "PRAGMA journal_size_limit = 67108864")
        try database.execute(sql: "PRAGMA cache_size = -32768")
        if let bytesLimit {
            try database.execute(sql: "PRAGMA max_page_count = \(max(1, bytesLimit / 4096))")
        }
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
            case .first: empty()
            case .refused(let error): write.fail(error)
            }
        }
        return try result.get()
    }

    /// One hop to the writer's thread for as many groups as arrive meanwhile.
    private func empty() {
        pool.asyncWriteWithoutTransaction { [self] database in
            let commit = GroupCommit(session: SQLiteSession(database: database)) {
                self.committed.add(1, ordering: .relaxed)
            }
            while true {
                let group = queue.next()
                if group.isEmpty { return }
                commit.run(group)
            }
        }
    }

    package func read<Value: Sendable>(
        _ work: @escaping @Sendable (any SQLSession) throws(RecordsError) -> Value
    ) async throws(RecordsError) -> Value {
        if queue.isClosed { throw RecordsError(.closed, "the records are closed") }
        let result: Result<Value, RecordsError> = await withCheckedContinuation { continuation in
            pool.asyncRead { database in
                do {
                    let session = SQLiteSession(database: try database.get())
                    continuation.resume(returning: .success(try work(session)))
                } catch { continuation.resume(returning: .failure(RecordsError(sqlite: error))) }
            }
        }
        return try result.get()
    }

    package func verify() async throws(RecordsError) -> [String] {
        try await problems("PRAGMA integrity_check")
    }

    package func size() async throws(RecordsError) -> Int {
        try await read { session throws(RecordsError) in
            let pages = try session.row("PRAGMA page_count", [])?.integer(0) ?? 0
            return pages * (try session.row("PRAGMA page_size", [])?.integer(0) ?? 0)
        }
    }

    package func verifyStructure() async throws(RecordsError) -> [String] {
        let tables = try await read { session throws(RecordsError) in
            try session.rows("SELECT name FROM sqlite_master WHERE type = 'table'", [])
        }
        var problems: [String] = []
        for table in tables.map({ $0.text(0) }) where !Task.isCancelled {
            // The tenth of a table's problems tells no more than the first nine.
            problems += try await self.problems("PRAGMA quick_check(\"\(table)\")").prefix(10)
        }
        return problems
    }

    private func problems(_ pragma: String) async throws(RecordsError) -> [String] {
        do throws(RecordsError) {
            let rows = try await read { session throws(RecordsError) in
                try session.rows(pragma, [])
            }
            return rows.map { $0.text(0) }.filter { $0 != "ok" }
        } catch {
            // Damage may be such that the check itself cannot go on.
            guard error.code == .corrupt else { throw error }
            return [error.message]
        }
    }

    package func copy(to path: String) async throws(RecordsError) {
        if queue.isClosed { throw RecordsError(.closed, "the records are closed") }
        let result: Result<Void, RecordsError> = await withCheckedContinuation { continuation in
            pool.asyncRead { database in
                do {
                    try Self.copy(try database.get(), to: path)
                    continuation.resume(returning: .success(()))
                } catch { continuation.resume(returning: .failure(RecordsError(sqlite: error))) }
            }
        }
        try result.get()
    }

    private static func copy(_ database: Database, to path: String) throws {
        let copy = try DatabaseQueue(path: path)
        try copy.inDatabase { try database.backup(to: $0) }
        try copy.close()
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        let file = try FileHandle(forUpdating: URL(filePath: path))
        try file.synchronize()
        try file.close()
    }

    package func close() async {
        guard await queue.close() else { return }
        // So that the file alone is the whole database. SQLite does so when the last connection closes, but the readers close last and
        // may not write.
        await foldLog(fully: true)
        // Readers that are still at work keep the connection until they end; the process's end closes it too.
        try? pool.close()
    }

    package func foldLog(fully: Bool) async {
        await withCheckedContinuation { continuation in
            pool.asyncWriteWithoutTransaction { database in
                // What cannot be folded now is folded later; nothing is lost.
                _ = try? database.checkpoint(fully ? .truncate : .passive)
                continuation.resume()
            }
        }
    }
}
