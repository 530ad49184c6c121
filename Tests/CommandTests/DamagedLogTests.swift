import Foundation
import Testing

@Suite("A server whose records lost something while it was killed")
struct DamagedLogTests {
    private static func folder() -> String {
        FileManager.default.temporaryDirectory.path() + "/damaged-\(UUID())"
    }

    private func contents(_ folder: String) throws -> [String: Data] {
        var found: [String: Data] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: folder) {
            found[name] = FileManager.default.contents(atPath: "\(folder)/\(name)")
        }
        return found
    }

    private func serve(_ folder: String) async throws -> Program.Result {
        try await Program.run([
            "serve", "--data-folder", folder, "--http-port", "0", "--log-level", "critical",
        ])
    }

    @Test("does not start, names file and frame, and changes nothing; doctor says the same")
    func flipped() async throws {
        let folder = Self.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let server = try await RunningServer(folder: folder)
        for name in ["shop", "mall", "kiosk"] {
            let added = try await Program.run(
                ["account", "add", name, "--kind", "webhook"] + server.keyFile,
                environment: server.environment
            )
            #expect(added.code == 0, "\(added.err)")
        }
        await server.kill()
        let log = folder + "/records.sqlite-wal"
        let handle = try #require(FileHandle(forUpdatingAtPath: log))
        try handle.seek(toOffset: 32 + 24 + 100)
        let byte = try #require(try handle.read(upToCount: 1)?.first)
        try handle.seek(toOffset: 32 + 24 + 100)
        try handle.write(contentsOf: Data([byte ^ 1]))
        try handle.close()
        let before = try contents(folder)
        let result = try await serve(folder)
        #expect(result.code == 65)
        #expect(result.err.contains("records.sqlite-wal, frame 1, byte 32"), "\(result.err)")
        #expect(result.err.contains("--repair"))
        let doctor = try await Program.run(["doctor", folder])
        #expect(doctor.code == 65)
        #expect(doctor.out.contains("damaged: records: records.sqlite-wal, frame 1"))
        #expect(try contents(folder) == before)
    }

    @Test("accounts and keys lie in the main file soon after they are made")
    func folded() async throws {
        let folder = Self.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let server = try await RunningServer(folder: folder)
        let added = try await Program.run(
            ["account", "add", "shop", "--kind", "webhook"] + server.keyFile,
            environment: server.environment
        )
        #expect(added.code == 0, "\(added.err)")
        await server.kill()
        // All of the log is gone, as if nobody had looked.
        try FileManager.default.removeItem(atPath: folder + "/records.sqlite-wal")
        try FileManager.default.removeItem(atPath: folder + "/records.sqlite-shm")
        let again = try await RunningServer(folder: folder)
        let list = try await Program.run(
            ["account", "list"] + again.keyFile,
            environment: again.environment
        )
        #expect(list.code == 0 && list.out.contains("shop"), "\(list.out)\(list.err)")
        await again.stop()
    }

    @Test("records that are gone are told, instead of beginning anew beside pending pushes")
    func lost() async throws {
        let folder = Self.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let server = try await RunningServer(folder: folder)
        _ = try await Program.run(
            ["account", "add", "shop", "--kind", "webhook"] + server.keyFile,
            environment: server.environment
        )
        #expect(try await server.schedule(id: "lost/1").code == 0)
        await server.stop()
        for name in try FileManager.default.contentsOfDirectory(atPath: folder)
        where name.hasPrefix("records.sqlite") {
            try FileManager.default.removeItem(atPath: "\(folder)/\(name)")
        }
        let result = try await serve(folder)
        #expect(result.code == 65)
        #expect(result.err.contains("no account and no API key"), "\(result.err)")
        #expect(result.err.contains("1 pushes are pending"))
        let doctor = try await Program.run(["doctor", folder])
        #expect(doctor.code == 65)
        #expect(doctor.out.contains("no account and no API key"), "\(doctor.out)")
    }
}
