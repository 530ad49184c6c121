import BelfryCore
import BelfryRecords
import BelfrySimulation
import Foundation
import Testing

@Suite("SQLite's log, looked at before SQLite opens it")
struct LogCheckTests {
    /// A copy of records as a killed process leaves them: 20 settings in 20 transactions, all in the log.
    private struct Killed {
        let folder = Fixture.newFolder()
        var path: String { folder + "/records.sqlite" }
        var log: String { path + "-wal" }
        /// Bytes of a frame.
        let frame = 24 + 4096

        init(withIndex: Bool = true) async throws {
            let fixture = try await Fixture()
            await fixture.records.foldLog()
            for number in 0..<20 {
                try await fixture.records.settings.set("setting\(number)", to: "value", by: "a")
            }
            let manager = FileManager.default
            try manager.createDirectory(atPath: folder, withIntermediateDirectories: true)
            for end in ["", "-wal"] + (withIndex ? ["-shm"] : []) {
                try manager.copyItem(
                    atPath: fixture.path + end,
                    toPath: path + end
                )
            }
            await fixture.records.close()
        }

        func bytes() throws -> Data { try Data(contentsOf: URL(filePath: log)) }

        func flip(at offset: Int) throws {
            var bytes = try bytes()
            bytes[offset] ^= 0x10
            try bytes.write(to: URL(filePath: log))
        }

        func look() throws -> LogCheck.Finding { try LogCheck.look(path) }

        func discard() { try? FileManager.default.removeItem(atPath: folder) }
    }

    private func isDamaged(_ finding: LogCheck.Finding) -> Bool {
        if case .damaged = finding { true } else { false }
    }

    @Test("a sound log is sound, with its index and without", arguments: [true, false])
    func sound(withIndex: Bool) async throws {
        let killed = try await Killed(withIndex: withIndex)
        defer { killed.discard() }
        #expect(try killed.bytes().count > 20 * killed.frame)
        #expect(try killed.look() == .sound)
    }

    @Test("one flipped byte anywhere in the log is damage, by the index alone")
    func everyByteByIndex() async throws {
        let killed = try await Killed()
        defer { killed.discard() }
        let whole = try killed.bytes()
        let frames = (whole.count - 32) / killed.frame
        for number in 0..<frames {
            for inFrame in [1, 5, 9, 17, 21, 24, 2000, 4119] {
                try whole.write(to: URL(filePath: killed.log))
                try killed.flip(at: 32 + number * killed.frame + inFrame)
                #expect(isDamaged(try killed.look()), "frame \(number + 1), byte \(inFrame)")
            }
        }
    }

    @Test("without the index every transaction but the last is vouched for by the next one")
    func everyByteByChain() async throws {
        let killed = try await Killed(withIndex: false)
        defer { killed.discard() }
        let whole = try killed.bytes()
        let frames = (whole.count - 32) / killed.frame
        // The last two transactions: a flip of what says that one commits needs another behind it.
        for number in 0..<frames - 4 {
            for inFrame in [1, 9, 17, 24, 2000, 4119] {
                try whole.write(to: URL(filePath: killed.log))
                try killed.flip(at: 32 + number * killed.frame + inFrame)
                #expect(isDamaged(try killed.look()), "frame \(number + 1), byte \(inFrame)")
            }
        }
    }

    @Test("a header that is damaged while frames follow is damage", arguments: [true, false])
    func header(withIndex: Bool) async throws {
        let killed = try await Killed(withIndex: withIndex)
        defer { killed.discard() }
        let whole = try killed.bytes()
        for offset in 0..<32 where !(4..<8).contains(offset) {
            try whole.write(to: URL(filePath: killed.log))
            try killed.flip(at: offset)
            #expect(isDamaged(try killed.look()), "byte \(offset)")
        }
    }

    @Test("a last transaction that is torn anywhere is no damage where nothing vouches for it")
    func torn() async throws {
        let killed = try await Killed(withIndex: false)
        defer { killed.discard() }
        let whole = try killed.bytes()
        // The last transaction writes two pages at least, in its last two frames.
        for lost in [1, 24, 4119, killed.frame] {
            try whole.dropLast(lost).write(to: URL(filePath: killed.log))
            #expect(!isDamaged(try killed.look()), "\(lost) bytes lost")
        }
        // Its commit may reach the medium before the rest of it.
        try whole.write(to: URL(filePath: killed.log))
        try killed.flip(at: whole.count - killed.frame - 100)
        #expect(!isDamaged(try killed.look()))
    }

    @Test("with the index, a log that was cut short is damage")
    func cut() async throws {
        let killed = try await Killed()
        defer { killed.discard() }
        try killed.bytes().dropLast(killed.frame).write(to: URL(filePath: killed.log))
        #expect(isDamaged(try killed.look()))
    }

    @Test("frames of an earlier round of the log are no damage")
    func earlierRound() async throws {
        let fixture = try await Fixture()
        for number in 0..<20 {
            try await fixture.records.settings.set("setting\(number)", to: "value", by: "a")
        }
        // The next round begins at the front of the same file.
        try await fixture.records.accounts.save(AccountRecord(key: "shop", kind: .webhook))
        try await fixture.records.settings.set("after", to: "value", by: "a")
        #expect(try LogCheck.look(fixture.path) == .sound)
        await fixture.records.close()
    }

    @Test("opening a damaged log names file and frame, and changes nothing")
    func refused() async throws {
        let killed = try await Killed()
        defer { killed.discard() }
        try killed.flip(at: 32 + killed.frame + 500)
        let before = try contents(killed.folder)
        let error = await failure {
            _ = try await Records.open(
                path: killed.path,
                clock: ManualClock(),
                secretKey: Fixture.secretKey
            )
        }
        #expect(error?.code == .corrupt)
        #expect(error?.message.contains("records.sqlite-wal, frame 2, byte 4152") == true)
        #expect(try contents(killed.folder) == before)
    }

    private func contents(_ folder: String) throws -> [String: Data] {
        var found: [String: Data] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
            found[name] = try Data(contentsOf: URL(filePath: "\(folder)/\(name)"))
        }
        return found
    }
}
