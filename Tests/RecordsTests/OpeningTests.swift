import BelfryCore
import BelfryRecords
import BelfrySimulation
import Foundation
import Testing

@Suite("Opening the records")
struct OpeningTests {
    private func open(_ path: String, bytesLimit: Int? = nil) async throws -> Records {
        try await Records.open(
            path: path,
            clock: ManualClock(),
            secretKey: Fixture.secretKey,
            bytesLimit: bytesLimit
        )
    }

    @Test(
        "brings the schema up from each earlier version, keeping what was written",
        arguments: 0..<11
    )
    func migrations(from version: Int) async throws {
        let folder = Fixture.newFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/records.sqlite"
        let old = try SQLiteDatabase(path: path)
        try await old.migrate(Array(Schema.migrations.prefix(version)))
        if version > 0 {
            try await old.write { session throws(RecordsError) in
                try session.run(
                    """
                    INSERT INTO flows (account, flow, state, newest, updated)
                    VALUES ('a', 'w', 'draft', 1, 0)
                    """,
                    []
                )
            }
        }
        await old.close()
        #expect(version < Schema.migrations.count)
        let records = try await open(path)
        #expect(try await records.flows.all().count == (version > 0 ? 1 : 0))
        // A table of the newest version.
        #expect(try await records.settings.all().isEmpty)
        #expect(try await records.verify().isEmpty)
        await records.close()
        // And nothing is left to do the second time.
        await (try open(path)).close()
    }

    @Test("a damaged page is found by the look at the structure, beside other readers")
    func damagedPage() async throws {
        let folder = Fixture.newFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/records.sqlite"
        let sound = try await open(path)
        #expect(try await sound.verifyStructure().isEmpty)
        await sound.close()
        // The last leaf of an index (SQLite's page type 10) is one that opening does not read.
        let file = try #require(FileHandle(forUpdatingAtPath: path))
        let bytes = try Data(contentsOf: URL(filePath: path))
        let pages = Array(stride(from: 4096, to: bytes.count, by: 4096))
        let page = try #require(pages.last { bytes[$0] == 10 })
        try file.seek(toOffset: UInt64(page))
        try file.write(contentsOf: Data(repeating: 0xA5, count: 4096))
        try file.close()
        let records = try await open(path)
        #expect(try await !records.verifyStructure().isEmpty)
        #expect(try await records.accounts.all().isEmpty)
        await records.close()
    }

    @Test("versions are counted without gaps, and every version before this one is tested")
    func versions() {
        #expect(Schema.migrations.map(\.version) == Array(1...Schema.migrations.count))
        #expect(Schema.migrations.count == 11)
    }

    @Test("a migration that fails half way leaves nothing of itself")
    func failingMigration() async throws {
        let folder = Fixture.newFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let database = try SQLiteDatabase(path: folder + "/m.sqlite")
        let broken = SQLMigration(
            version: 1,
            name: "broken",
            statements: ["CREATE TABLE a (n INTEGER)", "CREATE TABLE a (n INTEGER)"]
        )
        let error = await failure { try await database.migrate([broken]) }
        #expect(error != nil)
        let fixed = SQLMigration(
            version: 1,
            name: "fixed",
            statements: ["CREATE TABLE a (n INTEGER)"]
        )
        try await database.migrate([fixed])
        await database.close()
    }

    @Test("a file of a newer version is refused, and not touched")
    func newerSchema() async throws {
        let fixture = try await Fixture()
        await fixture.records.close()
        let newer = try SQLiteDatabase(path: fixture.path)
        let next = Schema.migrations[Schema.migrations.count - 1].version + 1
        try await newer.migrate(
            Schema.migrations + [
                SQLMigration(
                    version: next,
                    name: "next",
                    statements: ["CREATE TABLE future (n INTEGER)"]
                )
            ]
        )
        await newer.close()
        let error = await failure { _ = try await fixture.reopen() }
        #expect(error?.code == .newerFormat)
        #expect(
            error?.message
                == "the records have schema \(next), this program knows schema \(next - 1) at most"
        )
    }

    @Test("a file that is no database is reported as corrupt")
    func noDatabase() async throws {
        let folder = Fixture.newFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(
            atPath: folder,
            withIntermediateDirectories: true
        )
        let path = folder + "/records.sqlite"
        try Data(repeating: 0x42, count: 20_000).write(to: URL(filePath: path))
        let error = await failure { _ = try await open(path) }
        #expect(error?.code == .corrupt)
    }

    @Test("damage inside the file is reported as corrupt, by reads and by the check")
    func damaged() async throws {
        let fixture = try await Fixture()
        for n in 0..<500 {
            try await fixture.records.settings.set(
                "s\(n)",
                to: String(repeating: "v", count: 500),
                by: "x"
            )
        }
        await fixture.records.close()
        var bytes = try Data(contentsOf: URL(filePath: fixture.path))
        // All but the first pages, which hold the schema.
        let start = 80 * 4096
        try #require(bytes.count > start + 4096, "\(bytes.count)")
        bytes.replaceSubrange(start..., with: Data(repeating: 0xFF, count: bytes.count - start))
        try bytes.write(to: URL(filePath: fixture.path))
        let again = try await fixture.reopen()
        let error = await failure { _ = try await again.settings.all() }
        #expect(error?.code == .corrupt)
        #expect(try await again.verify().isEmpty == false)
        await again.close()
    }

    @Test("a folder that may not be written is reported as read-only")
    func readOnly() async throws {
        // Not even root may make files there.
        #if os(Linux)
        let sealed = "/sys/kernel/belfry/records.sqlite"
        #else
        let sealed = "/System/belfry/records.sqlite"
        #endif
        let system = await failure { _ = try await open(sealed) }
        #expect(system?.code == .readOnly)
        guard geteuid() != 0 else { return }
        let folder = Fixture.newFolder()
        try FileManager.default.createDirectory(
            atPath: folder,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o500]
        )
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let error = await failure { _ = try await open(folder + "/records.sqlite") }
        #expect(error?.code == .readOnly)
    }

    @Test("a path through a file, or one that is a folder, says what is wrong with it")
    func wrongPath() async throws {
        let folder = Fixture.newFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(
            atPath: folder + "/records.sqlite",
            withIntermediateDirectories: true
        )
        let error = await failure { _ = try await open(folder + "/records.sqlite") }
        #expect(error?.code == .io)
        #expect(error?.message.contains("directory") == true)
    }

    @Test("a full disk refuses writes as full, keeps what was written, and reads go on")
    func full() async throws {
        let fixture = try await Fixture(bytesLimit: 512 * 1024)
        let settings = fixture.records.settings
        let value = String(repeating: "v", count: 20_000)
        var written = 0
        var refusal: RecordsError?
        while refusal == nil, written < 100 {
            let name = "s\(written)"
            refusal = await failure { try await settings.set(name, to: value, by: "x") }
            if refusal == nil { written += 1 }
        }
        #expect(refusal?.code == .full)
        #expect(written > 2)
        #expect(try await settings.all().count == written)
        // Many at once: the shared transaction is lost, and each is told on its own.
        let codes = await withTaskGroup(of: RecordsError.Code?.self) { group in
            for n in 0..<8 {
                group.addTask {
                    await failure { try await settings.set("t\(n)", to: value, by: "x") }?.code
                }
            }
            return await group.reduce(into: Set<RecordsError.Code?>()) { $0.insert($1) }
        }
        #expect(codes == [.full])
        #expect(try await settings.all().count == written)
        await fixture.records.close()
        let again = try await fixture.reopen()
        #expect(try await again.settings.all().count == written)
        #expect(try await again.verify().isEmpty)
        await again.close()
    }

    @Test("what was acknowledged is there after a crash, without the file having been closed")
    func crash() async throws {
        let fixture = try await Fixture()
        for n in 0..<20 { try await fixture.records.settings.set("s\(n)", to: "1", by: "x") }
        // The files as a killed process leaves them: the log not folded into the database, which the copy does not disturb.
        let copy = Fixture.newFolder()
        defer { try? FileManager.default.removeItem(atPath: copy) }
        try FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: true)
        for name in ["records.sqlite", "records.sqlite-wal"] {
            try FileManager.default.copyItem(
                atPath: fixture.folder + "/" + name,
                toPath: copy + "/" + name
            )
        }
        // A torn write at the end of the log, of a transaction that nobody was told of.
        let log = try FileHandle(forWritingTo: URL(filePath: copy + "/records.sqlite-wal"))
        try log.seekToEnd()
        try log.write(contentsOf: Data(repeating: 0xA5, count: 3000))
        try log.close()
        let after = try await open(copy + "/records.sqlite")
        #expect(try await after.settings.all().count == 20)
        #expect(try await after.verify().isEmpty)
        await after.close()
    }

    @Test("nobody else on the machine may read the file")
    func permissions() async throws {
        let fixture = try await Fixture()
        for name in ["", "/records.sqlite"] {
            let attributes = try FileManager.default.attributesOfItem(
                atPath: fixture.folder + name
            )
            let mode = try #require(attributes[.posixPermissions] as? Int)
            #expect(mode & 0o077 == 0, "\(name)")
        }
    }
}
