import BelfryClient
import BelfryPostgresClient
import BelfryPostgresProcess
import Foundation
import Testing

@Suite("belfry on PostgreSQL")
struct PostgresServeTests {
    private let folder =
        FileManager.default.temporaryDirectory.path() + "/serve-postgres-\(UUID())"

    @Test(
        "keeps pushes in PostgreSQL: a copy of the data folder finds them there, other records are refused; and judges it"
    )
    func shares() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let postgres = try await PostgresProcess()
        defer { postgres.remove() }
        let first = try await server("first", postgres)
        try await addAccount(first)
        #expect(try await first.schedule(id: "order/17").code == 0)
        let copied = try await Program.run(
            ["backup", "\(folder)/second"] + first.keyFile,
            environment: first.environment
        )
        #expect(copied.code == 0, "\(copied.err)")
        await first.stop()
        let stranger = try await refusal(postgres, "stranger")
        #expect(stranger.code == 78)
        #expect(stranger.err.contains("a server with other records"), "\(stranger.err)")
        let second = try await server("second", postgres)
        let shown = try await Program.run(
            ["push", "find", "order/17"] + second.keyFile,
            environment: second.environment
        )
        #expect(shown.code == 0, "\(shown.err)")
        await second.stop()
        let blind = try await Program.run(["doctor", folder + "/second"])
        #expect(blind.code == 77, "\(blind.out)")
        #expect(blind.out.contains("unreadable: timeline: "))
        #expect(blind.out.contains("timeline.url is not set here"))
        #expect(blind.out.contains("BELFRY_TIMELINE_URL"))
        #expect(!blind.out.contains("damaged: "), "\(blind.out)")
        let doctor = try await Program.run(
            ["doctor", NSTemporaryDirectory()],
            environment: ["BELFRY_TIMELINE_URL": postgres.address()]
        )
        #expect(doctor.out.contains("keeps what it accepts"), "\(doctor.out)")
        try postgres.connection().run("ALTER ROLE belfry SET synchronous_commit = off")
        let refused = try await refusal(postgres, "second")
        #expect(refused.code == 78)
        #expect(refused.err.contains("synchronous_commit: is off"), "\(refused.err)")
    }

    @Test("doctor calls nothing damaged that lies elsewhere, but says which setting tells it where")
    func elsewhere() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let postgres = try await PostgresProcess()
        defer { postgres.remove() }
        let address = postgres.address()
        let server = try await RunningServer(
            folder: folder,
            arguments: ["--timeline-url", address, "--records-url", address]
        )
        await server.stop()
        let blind = try await Program.run(["doctor", folder])
        #expect(blind.code == 77, "\(blind.out)")
        #expect(!blind.out.contains("damaged: "), "\(blind.out)")
        for (area, setting) in [("timeline", "TIMELINE_URL"), ("records", "RECORDS_URL")] {
            let line = blind.out.split(separator: "\n").first {
                $0.hasPrefix("unreadable: \(area): ")
            }
            #expect(line?.contains("\(area).url is not set here") == true, "\(blind.out)")
            #expect(blind.out.contains("BELFRY_\(setting)"))
        }
        let told = try await Program.run(
            ["doctor", folder],
            environment: ["BELFRY_TIMELINE_URL": address, "BELFRY_RECORDS_URL": address]
        )
        #expect(told.code == 0, "\(told.out)")
        let embedded = try await RunningServer(folder: folder + "-own")
        await embedded.stop()
        #expect(!FileManager.default.fileExists(atPath: folder + "-own/places"))
        try FileManager.default.removeItem(atPath: folder + "-own")
    }

    @Test("leaves no push behind in a data folder, and names what is wrong with an address")
    func leftBehind() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let postgres = try await PostgresProcess()
        defer { postgres.remove() }
        let embedded = try await RunningServer(folder: folder)
        try await addAccount(embedded)
        #expect(try await embedded.schedule(id: "order/17").code == 0)
        await embedded.stop()
        let result = try await refusal(postgres)
        #expect(result.code == 78)
        #expect(result.err.contains("1 pushes are pending in"))
        let shown = try await Program.run(
            ["serve", "--print-config"],
            environment: ["BELFRY_TIMELINE_URL": "postgres://shop:geheim@db.example:6000/pushes"]
        )
        #expect(shown.code == 0)
        #expect(shown.out.contains("postgres://shop@db.example:6000/pushes"))
        #expect(!shown.out.contains("geheim"))
        let wrong = try await Program.run(
            ["serve", "--print-config"],
            environment: ["BELFRY_TIMELINE_URL": "postgres://shop:geheim@db.example/p?no=1"]
        )
        #expect(wrong.code == 78)
        #expect(wrong.err.contains("PostgreSQL address"), "\(wrong.err)")
        #expect(!wrong.err.contains("geheim"))
    }

    @Test("sends what is due, by the server's clock")
    func delivers() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let postgres = try await PostgresProcess()
        defer { postgres.remove() }
        let server = try await server("one", postgres)
        try await addAccount(server)
        let made = try await Program.run(
            [
                "push", "schedule", "--id", "order/1", "--account", "shop", "--to", "somebody",
                "--in", "1s", "--channel", "log", "--payload", "hello",
            ] + server.keyFile,
            environment: server.environment
        )
        #expect(made.code == 0, "\(made.err)")
        var sent = ""
        for _ in 0..<3000 where !sent.contains("hello") {
            // Another process sends it: nothing but looking tells when.
            try await Task.sleep(for: .milliseconds(20))
            let log = URL(filePath: server.folder + "/log-channel.ndjson")
            // Made with the first message.
            sent = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
        }
        #expect(sent.contains("order/1"))
        await server.stop()
    }

    @Test(
        "keeps accounts and people in PostgreSQL, too, where another folder with the same key finds them"
    )
    func records() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let postgres = try await PostgresProcess()
        defer { postgres.remove() }
        let address = postgres.address()
        let flags = ["--timeline-url", address, "--records-url", address]
        let first = try await RunningServer(folder: "\(folder)/first", arguments: flags)
        try await addAccount(first)
        #expect(try await first.schedule(id: "order/17").code == 0)
        await first.stop()
        #expect(!FileManager.default.fileExists(atPath: "\(folder)/first/records.sqlite"))
        let second = try await RunningServer(
            folder: "\(folder)/second",
            arguments: flags + ["--secret-key-file", "\(folder)/first/secret.key"]
        )
        let shown = try await Program.run(
            ["account", "list", "--key-file", "\(folder)/first/admin.key"],
            environment: second.environment
        )
        #expect(shown.out.contains("shop"), "\(shown.out)\(shown.err)")
        await second.stop()
        let doctor = try await Program.run(
            ["doctor", "\(folder)/first"],
            environment: ["BELFRY_TIMELINE_URL": address, "BELFRY_RECORDS_URL": address]
        )
        #expect(doctor.code == 0, "\(doctor.out)")
        #expect(doctor.out.contains("every row can be read"), "\(doctor.out)")
        let otherKey = try await Program.run([
            "serve", "--data-folder", "\(folder)/third", "--http-port", "0", "--records-url",
            address,
        ])
        #expect(otherKey.code == 78, "\(otherKey.err)")
    }

    @Test("a probe and whoever watches are told what does not answer while PostgreSQL is gone")
    func gone() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let postgres = try await PostgresProcess()
        defer { postgres.remove() }
        let address = postgres.address()
        let server = try await RunningServer(
            folder: folder,
            arguments: ["--timeline-url", address, "--records-url", address]
        )
        let key = try String(contentsOfFile: folder + "/admin.key", encoding: .utf8)
        let client = try APIClient(
            address: server.address,
            key: key.trimmingCharacters(in: .whitespacesAndNewlines)
        )
        _ = try await client.call(.get, "/readyz")
        _ = try await client.send(.get, "/metrics", [], nil, .seconds(60))
        postgres.remove()
        await #expect(throws: ClientError.self) { _ = try await client.call(.get, "/readyz") }
        let metrics = try await client.send(.get, "/metrics", [], nil, .seconds(60))
        let text = String(decoding: metrics, as: UTF8.self)
        for check in ["timeline", "records-reading"] {
            #expect(text.contains("belfry_check_ok{check=\"\(check)\"} 0"), "\(text)")
        }
        await server.kill()
    }

    private func server(_ name: String, _ postgres: PostgresProcess) async throws -> RunningServer {
        try await RunningServer(
            folder: "\(folder)/\(name)",
            arguments: ["--timeline-url", postgres.address()]
        )
    }

    /// A start that fails.
    private func refusal(_ postgres: PostgresProcess, _ name: String = "") async throws
        -> Program.Result
    {
        try await Program.run([
            "serve", "--data-folder", "\(folder)/\(name)", "--http-port", "0", "--timeline-url",
            postgres.address(),
        ])
    }

    private func addAccount(_ server: RunningServer) async throws {
        let result = try await Program.run(
            ["account", "add", "shop", "--kind", "webhook"] + server.keyFile,
            environment: server.environment
        )
        #expect(result.code == 0, "\(result.err)")
    }
}
