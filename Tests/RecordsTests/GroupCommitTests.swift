import BelfryCore
import BelfryRecords
import BelfrySimulation
import Foundation
import Synchronization
import Testing

/// Keeps the writer busy until it is told to go on.
///
/// How many writes share a transaction is then no matter of luck: all that wait when it goes on.
private final class HeldWriter: Sendable {
    private let entered = Mutex(false)
    private let open = Mutex(false)
    private let database: SQLiteDatabase

    init(_ database: SQLiteDatabase) { self.database = database }

    func hold() async throws {
        try await database.write { _ in
            self.entered.withLock { $0 = true }
            while !self.open.withLock({ $0 }) { usleep(200) }
        }
    }

    func whenHolding() async {
        while !entered.withLock({ $0 }) { await Task.yield() }
    }

    func release(whenWaiting count: Int) async {
        while database.waitingWrites < count { await Task.yield() }
        open.withLock { $0 = true }
    }
}

@Suite("Group commit")
struct GroupCommitTests {
    private func database() async throws -> (SQLiteDatabase, String) {
        let folder = Fixture.newFolder()
        let database = try SQLiteDatabase(path: folder + "/group.sqlite")
        try await database.migrate([
            SQLMigration(
                version: 1,
                name: "numbers",
                statements: ["CREATE TABLE numbers (n INTEGER NOT NULL PRIMARY KEY)"]
            )
        ])
        return (database, folder)
    }

    private func insert(_ n: Int, _ session: any SQLSession) throws(RecordsError) {
        try session.run("INSERT INTO numbers (n) VALUES (?)", [.integer(Int64(n))])
    }

    private func count(_ database: SQLiteDatabase) async throws -> Int {
        try await database.read { session throws(RecordsError) in
            try session.rows("SELECT n FROM numbers", []).count
        }
    }

    @Test(
        "makes many concurrent writes few transactions, and each is there when its caller resumes"
    )
    func groups() async throws {
        let (database, folder) = try await database()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let held = HeldWriter(database)
        let before = database.commits
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await held.hold() }
            await held.whenHolding()
            for n in 0..<200 {
                group.addTask {
                    try await database.write { session throws(RecordsError) in
                        try insert(n, session)
                    }
                    let found = try await database.read { session throws(RecordsError) in
                        try session.rows(
                            "SELECT n FROM numbers WHERE n = ?",
                            [.integer(Int64(n))]
                        )
                    }
                    #expect(found.count == 1)
                }
            }
            await held.release(whenWaiting: 200)
            try await group.waitForAll()
        }
        #expect(try await count(database) == 200)
        #expect(database.commits - before == 2)
        await database.close()
    }

    @Test("undoes a failing write alone: its neighbours in the same transaction are kept")
    func savepoint() async throws {
        let (database, folder) = try await database()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await database.write { session throws(RecordsError) in try insert(5, session) }
        let held = HeldWriter(database)
        let before = database.commits
        let codes = try await withThrowingTaskGroup(of: (Int, RecordsError.Code)?.self) { group in
            group.addTask {
                try await held.hold()
                return nil
            }
            await held.whenHolding()
            for n in 0..<10 {
                group.addTask {
                    do throws(RecordsError) {
                        try await database.write { session throws(RecordsError) in
                            // 5 writes a row of its own first, which must go with it.
                            if n == 5 { try insert(500, session) }
                            try insert(n, session)
                        }
                        return nil
                    } catch { return (n, error.code) }
                }
            }
            await held.release(whenWaiting: 10)
            var codes: [Int: RecordsError.Code] = [:]
            for try await failed in group {
                if let (n, code) = failed { codes[n] = code }
            }
            return codes
        }
        #expect(codes == [5: .conflict])
        #expect(try await count(database) == 10)
        #expect(database.commits - before == 2)
        await database.close()
    }

    @Test("finishes the writes taken before closing, then refuses writes and reads; twice is once")
    func closing() async throws {
        let (database, folder) = try await database()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let held = HeldWriter(database)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await held.hold() }
            await held.whenHolding()
            group.addTask {
                try await database.write { session throws(RecordsError) in
                    try insert(1, session)
                }
            }
            while database.waitingWrites < 1 { await Task.yield() }
            group.addTask { await database.close() }
            await held.release(whenWaiting: 1)
            try await group.waitForAll()
        }
        await database.close()
        let write = await failure { try await database.write { _ in } }
        #expect(write?.code == .closed)
        let read = await failure { try await database.read { _ in } }
        #expect(read?.code == .closed)
        let again = try SQLiteDatabase(path: folder + "/group.sqlite")
        #expect(try await count(again) == 1)
        await again.close()
    }

    @Test("syncs the log at every commit, and waits five seconds for another process's lock")
    func synchronous() async throws {
        let (database, folder) = try await database()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let rows = try await database.write { session throws(RecordsError) in
            try session.rows("PRAGMA synchronous", [])
                + session.rows("PRAGMA journal_mode", [])
                + session.rows("PRAGMA busy_timeout", [])
        }
        #expect(rows.map(\.values) == [[.integer(2)], [.text("wal")], [.integer(5000)]])
        await database.close()
    }
}
