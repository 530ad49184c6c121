import Foundation
import Testing

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

@Suite("A server whose timeline is damaged in one place")
struct DamagedRunTests {
    private func run(_ server: RunningServer, _ arguments: [String]) async throws -> Program.Result
    {
        try await Program.run(arguments + server.keyFile, environment: server.environment)
    }

    private func status(_ server: RunningServer, _ path: String) async throws -> (Int, String) {
        var request = URLRequest(url: try #require(URL(string: server.address + path)))
        let key = try String(contentsOfFile: server.folder + "/admin.key", encoding: .utf8)
        request.setValue(
            "Bearer \(key.trimmingCharacters(in: .whitespacesAndNewlines))",
            forHTTPHeaderField: "Authorization"
        )
        let (data, response) = try await URLSession.shared.data(for: request)
        return (
            (response as? HTTPURLResponse)?.statusCode ?? 0, String(decoding: data, as: UTF8.self)
        )
    }

    /// A server on a folder with the pushes `one` and `two` in a run that is damaged, and `three` in the journal.
    private func withDamage(_ work: (RunningServer, _ folder: String) async throws -> Void)
        async throws
    {
        let folder = FileManager.default.temporaryDirectory.path() + "/damaged-run-\(UUID())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let data = folder + "/data"
        let first = try await RunningServer(folder: data, arguments: ["--timeline-lanes", "1"])
        _ = try await run(first, ["account", "add", "shop", "--kind", "webhook"])
        for id in ["one", "two"] { #expect(try await first.schedule(id: id).code == 0) }
        await first.stop()
        // Another number of lanes puts all that is pending into runs.
        let second = try await RunningServer(folder: data, arguments: ["--timeline-lanes", "2"])
        #expect(try await second.schedule(id: "three").code == 0)
        await second.stop()
        let runs = try FileManager.default.subpathsOfDirectory(atPath: data + "/timeline")
            .filter { $0.hasSuffix(".run") }
        let path = "\(data)/timeline/\(try #require(runs.first))"
        #expect(runs.count == 1)
        var bytes = try Data(contentsOf: URL(filePath: path))
        bytes[100] ^= 1
        try bytes.write(to: URL(filePath: path))
        let server = try await RunningServer(folder: data)
        try await work(server, folder)
    }

    @Test("goes on, and says so: readiness, metrics, answers, backup, and the doctor with its cure")
    func told() async throws {
        try await withDamage { server, folder in
            // Found by itself soon after the start.
            while try await status(server, "/readyz").0 == 200 { await Task.yield() }
            let ready = try await status(server, "/readyz").1
            #expect(ready.contains(#"{"name":"timeline-files","ok":false,"#), "\(ready)")
            let metrics = try await status(server, "/metrics").1
            #expect(metrics.contains("belfry_timeline_damaged 2"))
            #expect(metrics.contains(#"belfry_check_ok{check="timeline-files"} 0"#))

            let found = try await run(server, ["push", "find", "one", "--json"])
            #expect(found.code == 0 && found.out.contains(#""state":"damaged""#), "\(found.out)")

            let copied = try await run(server, ["backup", folder + "/copy"])
            #expect(copied.code == 65)
            #expect(copied.err.contains(".run, byte 32: 2 pushes"), "\(copied.err)")
            #expect(FileManager.default.fileExists(atPath: folder + "/copy/records.sqlite"))

            let cancelled = try await run(server, ["push", "cancel", "one", "three", "nobody"])
            #expect(cancelled.code == 0, "\(cancelled.err)")
            #expect(try await run(server, ["push", "find", "one"]).code == 65)
            #expect(try await status(server, "/metrics").1.contains("belfry_timeline_damaged 1"))
            await server.stop()

            let data = folder + "/data"
            #expect(try await Program.run(["doctor", data]).code == 65)
            let repaired = try await Program.run(["doctor", data, "--repair", "--yes"])
            #expect(repaired.code == 0, "\(repaired.out)\(repaired.err)")
            #expect(try await Program.run(["doctor", data]).code == 0)
        }
    }

    @Test("a backup into the data folder itself is refused")
    func inside() async throws {
        let folder = FileManager.default.temporaryDirectory.path() + "/inside-\(UUID())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let server = try await RunningServer(folder: folder)
        for path in [folder + "/backup", folder + "/media/../copies/today"] {
            let refused = try await run(server, ["backup", path])
            #expect(refused.code == 65 && refused.err.contains("in the data folder"), "\(refused)")
        }
        #expect(!FileManager.default.fileExists(atPath: folder + "/backup"))
        await server.stop()
    }
}
