import Foundation
import Testing

@Suite("belfry doctor --repair")
struct RepairTests {
    private func run(_ folder: String, _ arguments: [String]) async throws -> Program.Result {
        try await Program.run(["doctor", folder] + arguments)
    }

    private func contents(_ folder: String) throws -> [String: Data] {
        var found: [String: Data] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: folder) {
            found[name] = FileManager.default.contents(atPath: "\(folder)/\(name)")
        }
        return found
    }

    private func flip(_ path: String, at offset: Int) throws {
        var bytes = try Data(contentsOf: URL(filePath: path))
        bytes[offset] ^= 1
        try bytes.write(to: URL(filePath: path))
    }

    /// A killed server's folder with an account and three pushes, each in a record of its own.
    private func withKilled(_ work: (String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.path() + "/repair-\(UUID())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let server = try await RunningServer(folder: folder)
        _ = try await Program.run(
            ["account", "add", "shop", "--kind", "webhook"] + server.keyFile,
            environment: server.environment
        )
        for id in ["one", "two", "three"] { #expect(try await server.schedule(id: id).code == 0) }
        await server.kill()
        try await work(folder)
    }

    private func find(_ ids: [String], in folder: String) async throws -> [Bool] {
        let server = try await RunningServer(folder: folder)
        var found: [Bool] = []
        for id in ids {
            let result = try await Program.run(
                ["push", "find", id] + server.keyFile,
                environment: server.environment
            )
            found.append(result.code == 0)
        }
        await server.stop()
        return found
    }

    @Test("shows first, asks, keeps what is whole, and says in a file what it dropped")
    func journal() async throws {
        try await withKilled { folder in
            // One recipient, so that all pushes are in one lane.
            let lane = try #require(
                try FileManager.default.contentsOfDirectory(atPath: folder + "/timeline").first {
                    let path = "\(folder)/timeline/\($0)/journal-0000000000000002.log"
                    return FileManager.default.contents(atPath: path)?.count ?? 0 > 32
                }
            )
            let segment = "\(folder)/timeline/\(lane)/journal-0000000000000002.log"
            try flip(segment, at: 100)
            let before = try contents(folder)
            #expect(try await run(folder, []).code == 65)
            let dry = try await run(folder, ["--repair", "--dry-run"])
            #expect(dry.code == 0, "\(dry.out)\(dry.err)")
            #expect(dry.out.contains("journal-0000000000000002.log, byte 32"))
            #expect(dry.out.contains("2 pushes pending are kept"))
            // Nobody is there to be asked.
            #expect(try await run(folder, ["--repair"]).code == 65)
            #expect(try contents(folder) == before, "nothing was dropped, and nothing says so")

            let repaired = try await run(folder, ["--repair", "--yes"])
            #expect(repaired.code == 0, "\(repaired.out)\(repaired.err)")
            let log = try #require(
                try FileManager.default.contentsOfDirectory(atPath: folder)
                    .last { $0.hasPrefix("repair-") }
            )
            let text = try String(contentsOfFile: "\(folder)/\(log)", encoding: .utf8)
            #expect(text.contains(#""file":"timeline/\#(lane)/journal-0000000000000002.log","#))
            #expect(text.contains(#""offset":32,"#))
            let kept = "\(folder)/timeline/\(lane)/damaged-journal-0000000000000002.log"
            #expect(FileManager.default.fileExists(atPath: kept))
            #expect(try await run(folder, []).code == 0)
            #expect(try await find(["one", "two", "three"], in: folder) == [false, true, true])
        }
    }

    @Test("of a damaged log of the records only what lay in the damaged frame is lost")
    func records() async throws {
        try await withKilled { folder in
            try flip(folder + "/records.sqlite-wal", at: 32 + 24 + 2000)
            #expect(try await run(folder, []).code == 65)
            let repaired = try await run(folder, ["--repair", "--yes"])
            #expect(repaired.code == 0, "\(repaired.out)\(repaired.err)")
            #expect(repaired.out.contains("frames of the log are kept"))
            #expect(
                FileManager.default.fileExists(atPath: folder + "/damaged-records.sqlite-wal")
            )
            #expect(try await find(["one", "two", "three"], in: folder) == [true, true, true])
        }
    }

    @Test("does nothing to a sound folder, and leaves one in use alone")
    func needless() async throws {
        let folder = FileManager.default.temporaryDirectory.path() + "/repair-\(UUID())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let server = try await RunningServer(folder: folder)
        #expect(try await run(folder, ["--repair", "--yes"]).code == 75)
        await server.stop()
        let before = try contents(folder)
        let result = try await run(folder, ["--repair", "--yes"])
        #expect(result.code == 0)
        #expect(result.out.contains("nothing is damaged"))
        #expect(try contents(folder) == before)
    }
}
