package import BelfryCore
package import BelfryPostgresClient
import Foundation
import Synchronization

/// What happened and why: accounts, people and their permissions, flows, deliveries, dead letters, keys, audit, settings.
///
/// Records can lag behind the timeline; they are never asked what is due. Every write is durable when it returns, every call may be
/// repeated. Areas hang off this type: `records.people`, `records.deliveries` …
package final class Records: Sendable {
    /// What is in force, behind the gate of a move.
    let movable: MovableDatabase
    let clock: any WallClock
    let seal: SecretSeal
    /// When somebody was last erased.
    let newestErasure: Mutex<Timestamp>
    /// Where a move went to that was cut off before the switch, and was undone at the opening; `nil`: there was none.
    package let cutOffMove: String?

    var database: any SQLDatabase { movable }

    private init(
        _ database: any SQLDatabase,
        _ clock: any WallClock,
        _ seal: SecretSeal,
        newestErasure: Timestamp,
        cutOffMove: String?
    ) {
        movable = MovableDatabase(database)
        self.cutOffMove = cutOffMove
        self.clock = clock
        self.seal = seal
        self.newestErasure = Mutex(newestErasure)
    }

    /// Opens the SQLite file at `path`, makes it where there is none, and brings its schema up to date.
    ///
    /// - Parameters:
    ///   - secretKey: 32 bytes under which secrets are encrypted; another key than the file was made with is refused.
    ///   - bytesLimit: above this size writes are refused as `full`; `nil`: the disk is the limit.
    /// - Throws: `readOnly`, `full` or `io` where the file cannot be opened, `corrupt`, `newerFormat`, `invalid` for the key, `elsewhere`.
    ///   A log that has lost something is found before SQLite opens it (``LogCheck``).
    package static func open(
        path: String,
        clock: any WallClock,
        secretKey: [UInt8],
        bytesLimit: Int? = nil
    ) async throws(RecordsError) -> Records {
        let seal = try SecretSeal(secretKey: secretKey)
        try LogCheck.require(path)
        let database = try SQLiteDatabase(path: path, bytesLimit: bytesLimit)
        do throws(RecordsError) {
            return try await open(database, clock: clock, seal: seal)
        } catch {
            await database.close()
            throw error
        }
    }

    /// Opens the records in a schema of a PostgreSQL database, makes it where there is none, and brings it up to date.
    ///
    /// - Throws: `io` where the server cannot be reached, `readOnly`, `newerFormat`, `invalid` for the key or the schema's name.
    package static func open(
        postgres address: PostgresAddress,
        schema: String,
        clock: any WallClock,
        secretKey: [UInt8]
    ) async throws(RecordsError) -> Records {
        let seal = try SecretSeal(secretKey: secretKey)
        let database = try PostgresDatabase(address, schema: schema)
        do throws(RecordsError) {
            return try await open(database, clock: clock, seal: seal)
        } catch {
            await database.close()
            throw error
        }
    }

    static func open(
        _ database: any SQLDatabase,
        clock: any WallClock,
        seal: SecretSeal
    ) async throws(RecordsError) -> Records {
        try await database.migrate(Schema.migrations)
        let cutOff = try await database.settleMoves()
        try await checkKey(database, seal)
        let newest = try await ErasureRecords.newest(database)
        return Records(database, clock, seal, newestErasure: newest, cutOffMove: cutOff)
    }

    /// Opens the records in a schema of a PostgreSQL database for somebody who only looks: nothing is made, brought up to date or settled.
    ///
    /// - Returns: `nil` where there are none yet, or where they have an earlier schema, which the next start brings up to date.
    /// - Throws: `io` where the server cannot be reached, `newerFormat`, `invalid` for the key or the schema's name, `elsewhere`.
    package static func inspect(
        postgres address: PostgresAddress,
        schema: String,
        clock: any WallClock,
        secretKey: [UInt8]
    ) async throws(RecordsError) -> Records? {
        let seal = try SecretSeal(secretKey: secretKey)
        let database = try PostgresDatabase(address, schema: schema)
        do throws(RecordsError) {
            guard try await database.isUpToDate(Schema.migrations) else {
                await database.close()
                return nil
            }
            let cutOff = try await database.marksInForce()[.leaving]
            _ = try await isKnown(seal, to: database)
            let newest = try await ErasureRecords.newest(database)
            return Records(database, clock, seal, newestErasure: newest, cutOffMove: cutOff)
        } catch {
            await database.close()
            throw error
        }
    }

    private static let sealPlace = "seals/check"

    /// - Throws: `invalid` where the records were sealed with another key.
    private static func isKnown(_ seal: SecretSeal, to database: any SQLDatabase)
        async throws(RecordsError) -> Bool
    {
        let known = try await database.read { session throws(RecordsError) in
            try session.row("SELECT sealed FROM seals WHERE name = ?", [.text("check")])
        }
        guard let known else { return false }
        _ = try seal.open(known.blob(0), place: sealPlace)
        return true
    }

    /// The first opening seals a known word; later ones must be able to read it.
    private static func checkKey(_ database: any SQLDatabase, _ seal: SecretSeal)
        async throws(RecordsError)
    {
        if try await isKnown(seal, to: database) { return }
        let sealed = try seal.seal(Secret("belfry"), place: sealPlace)
        try await database.write { session throws(RecordsError) in
            _ = try session.run(
                "INSERT INTO seals (name, sealed) VALUES (?, ?) ON CONFLICT (name) DO NOTHING",
                [.text("check"), .blob(sealed)]
            )
        }
    }

    /// Lets what was written so far rest in the database's own file, not in the log before it.
    package func foldLog() async { await database.foldLog(fully: true) }

    /// Writes a copy of everything committed so far into a new file, while the records go on.
    ///
    /// - Throws: `full` or `io`; what was written then is of no use.
    package func copy(to path: String) async throws(RecordsError) {
        try await database.copy(to: path)
    }

    /// Copies the records of a stopped server into an existing folder: the file and its log, which is folded into the copy.
    ///
    /// - Throws: `corrupt` where the log is damaged, `readOnly`, `full`, `io`.
    package static func copy(stopped path: String, to copy: String) async throws(RecordsError) {
        try LogCheck.require(path)
        do {
            for end in ["", "-wal"] where FileManager.default.fileExists(atPath: path + end) {
                try FileManager.default.copyItem(atPath: path + end, toPath: copy + end)
            }
        } catch { throw RecordsError(.io, "\(path) cannot be copied: \(error)") }
        await (try SQLiteDatabase(path: copy)).close()
    }

    /// Finishes the writes that were asked for, then closes the file; later calls throw `closed`.
    package func close() async { await database.close() }

    /// Transactions committed since opening; fewer than writes, because they are grouped.
    package var commits: Int { database.commits }

    /// Writes that wait for the writer.
    package var waitingWrites: Int { database.waitingWrites }

    /// Reads the whole file and checks that it fits together. Slow; for `belfry doctor`.
    ///
    /// - Returns: what is wrong; empty: nothing.
    package func verify() async throws(RecordsError) -> [String] { try await database.verify() }

    /// Reads next to nothing, to see whether they can be read.
    package func look() async throws(RecordsError) {
        _ = try await database.read { session throws(RecordsError) in
            try session.row("SELECT count(*) FROM seals", [])
        }
    }

    /// What they take on disk, in bytes.
    package func size() async throws(RecordsError) -> Int { try await database.size() }

    /// Reads the whole file, a table at a time, and checks its structure; beside a server at work.
    ///
    /// - Returns: as ``verify()``; a task that is cancelled gets what was found so far.
    package func verifyStructure() async throws(RecordsError) -> [String] {
        try await database.verifyStructure()
    }
}
