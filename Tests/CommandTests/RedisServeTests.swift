import BelfryClient
import BelfryRedisProcess
import Foundation
import Testing

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

@Suite("belfry on Redis")
struct RedisServeTests {
    private let folder =
        FileManager.default.temporaryDirectory.path() + "/serve-redis-\(UUID())"

    @Test("keeps pushes in Redis: a copy of the data folder finds them there")
    func shares() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let redis = try RedisProcess()
        defer { redis.kill() }
        let first = try await server("first", redis)
        try await addAccount(first)
        #expect(try await first.schedule(id: "order/17").code == 0)
        let copied = try await Program.run(
            ["backup", "\(folder)/second"] + first.keyFile,
            environment: first.environment
        )
        #expect(copied.code == 0, "\(copied.err)")
        await first.stop()
        let second = try await server("second", redis)
        let shown = try await Program.run(
            ["push", "find", "order/17"] + second.keyFile,
            environment: second.environment
        )
        #expect(shown.code == 0, "\(shown.err)")
        await second.stop()
        let embedded = try await RunningServer(folder: "\(folder)/first")
        let gone = try await Program.run(
            ["push", "find", "order/17"] + embedded.keyFile,
            environment: embedded.environment
        )
        #expect(gone.code != 0, "it lay in the data folder")
        await embedded.stop()
    }

    @Test("refuses pushes of a server with other records, and gives none of them up")
    func otherRecords() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let redis = try RedisProcess()
        defer { redis.kill() }
        let first = try await server("first", redis)
        try await addAccount(first)
        #expect(try await first.schedule(id: "order/17").code == 0)
        let other = try await refusal(try await ready(redis))
        #expect(other.code == 78)
        #expect(other.err.contains("belong to a server with other records"), "\(other.err)")
        #expect(other.err.contains("Set another timeline.prefix"), "\(other.err)")
        let apart = try await RunningServer(
            folder: "\(folder)/apart",
            arguments: ["--timeline-url", redis.address, "--timeline-prefix", "apart"]
        )
        await apart.stop()
        // Started again, the first one is at home.
        await first.stop()
        let again = try await server("first", redis)
        let shown = try await Program.run(
            ["push", "find", "order/17"] + again.keyFile,
            environment: again.environment
        )
        #expect(shown.code == 0, "\(shown.err)")
        await again.stop()
    }

    @Test("ends with 78 where no waiting helps, and says which part of the address is wrong")
    func misfits() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let redis = try RedisProcess()
        defer { redis.kill() }
        let address = try await ready(redis)
        let database = try await refusal(address + "/99")
        #expect(database.code == 78)
        #expect(database.err.contains("the server has no database 99"), "\(database.err)")
        let replica = try RedisProcess(["--replicaof", "127.0.0.1", "\(redis.port)"])
        defer { replica.kill() }
        let second = try await refusal(try await ready(replica))
        #expect(second.code == 78)
        #expect(second.err.contains("is a replica, of 127.0.0.1"), "\(second.err)")
        try await redis.command("HSET", "{belfry:s0}:layout", "format", "9", "shards", "16")
        let newer = try await refusal(address)
        #expect(newer.code == 65)
        #expect(newer.err.contains("in Redis have format 9"), "\(newer.err)")
        #expect(newer.err.contains("A newer Belfry wrote them"), "\(newer.err)")
        #expect(!newer.err.contains("wrote this folder"), "\(newer.err)")
        try await redis.command("CONFIG", "SET", "requirepass", "geheim")
        let login = try await refusal("redis://:offen@127.0.0.1:\(redis.port)")
        #expect(login.code == 78)
        #expect(login.err.contains("another password"), "\(login.err)")
    }

    @Test("says that Redis has lost its data, and goes on with what comes")
    func lostData() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let redis = try RedisProcess()
        defer { redis.kill() }
        let server = try await server("one", redis)
        try await addAccount(server)
        #expect(try await server.schedule(id: "order/17").code == 0)
        #expect(try await ready(server) == "ready")
        try await redis.command("FLUSHALL")
        #expect(try await server.schedule(id: "order/18").code == 0)
        #expect(try await ready(server) == "ready: timeline-data")
        let key = try String(contentsOfFile: server.folder + "/admin.key", encoding: .utf8)
        let client = try APIClient(
            address: server.address,
            key: key.trimmingCharacters(in: .whitespacesAndNewlines)
        )
        let metrics = String(decoding: try await client.send(.get, "/metrics"), as: UTF8.self)
        #expect(metrics.contains("belfry_timeline_lost_shards 16"), "\(metrics)")
        #expect(metrics.contains("belfry_check_ok{check=\"timeline-data\"} 0"))
        await server.stop()
    }

    /// `/readyz` in a word, with the checks that failed.
    private func ready(_ server: RunningServer) async throws -> String {
        let url = try #require(URL(string: server.address + "/readyz"))
        let answer = try JSON(parsing: try await URLSession.shared.data(from: url).0)
        let failed = answer["checks"].array.filter { $0["ok"] == .bool(false) }.map {
            $0["name"].cell
        }
        let status = answer["status"].cell
        return failed.isEmpty ? status : "\(status): \(failed.joined(separator: ", "))"
    }

    /// A start that fails.
    private func refusal(_ address: String) async throws -> Program.Result {
        try await Program.run([
            "serve", "--data-folder", "\(folder)/other", "--http-port", "0", "--timeline-url",
            address,
        ])
    }

    @Test("does not start on a Redis that would drop pushes, and says what to set")
    func audit() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let redis = try RedisProcess(["--maxmemory-policy", "allkeys-lru"])
        defer { redis.kill() }
        let result = try await Program.run([
            "serve", "--data-folder", folder, "--http-port", "0", "--timeline-url",
            try await ready(redis),
        ])
        #expect(result.code == 78)
        #expect(result.err.contains("maxmemory-policy: is allkeys-lru"))
        let doctor = try await Program.run(
            ["doctor", NSTemporaryDirectory()],
            environment: ["BELFRY_TIMELINE_URL": redis.address]
        )
        #expect(doctor.code == 65)
        #expect(doctor.out.contains("damaged: timeline: Redis: maxmemory-policy"))
    }

    @Test(
        "waits at the start for a Redis that is not up yet where it is told to, and ends with 74 otherwise"
    )
    func waits() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let redis = try RedisProcess()
        defer { redis.kill() }
        let arguments = [
            "serve", "--data-folder", folder, "--http-port", "0", "--timeline-url",
            try await ready(redis),
        ]
        redis.kill()
        #expect(try await Program.run(arguments).code == 74)
        let server = Process()
        server.executableURL = URL(filePath: Program.path)
        server.arguments = arguments + ["--start-wait", "10m"]
        let output = Pipe()
        server.standardOutput = output
        server.standardError = output
        try server.run()
        defer { kill(server.processIdentifier, SIGKILL) }
        try await Self.read(output, until: "waiting for what cannot be reached")
        try redis.restart()
        try await Self.read(output, until: "is at http://")
    }

    /// Reads what a program says until it says a word. Blocks a thread of its own, not one that tests run on.
    private static func read(_ pipe: Pipe, until word: String) async throws {
        let text = await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                var text = ""
                while !text.contains(word) {
                    let data = pipe.fileHandleForReading.availableData
                    if data.isEmpty { break }
                    text += String(decoding: data, as: UTF8.self)
                }
                continuation.resume(returning: text)
            }
        }
        #expect(text.contains(word), "\(text)")
    }

    @Test("leaves no push behind in a data folder")
    func leftBehind() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let redis = try RedisProcess()
        defer { redis.kill() }
        let embedded = try await RunningServer(folder: folder)
        try await addAccount(embedded)
        #expect(try await embedded.schedule(id: "order/17").code == 0)
        await embedded.stop()
        let result = try await Program.run([
            "serve", "--data-folder", folder, "--http-port", "0", "--timeline-url",
            try await ready(redis),
        ])
        #expect(result.code == 78)
        #expect(result.err.contains("1 pushes are pending in"))
    }

    @Test("shows the address without its password, and refuses one that is wrong")
    func address() async throws {
        let shown = try await Program.run(
            ["serve", "--print-config"],
            environment: ["BELFRY_TIMELINE_URL": "rediss://shop:geheim@cache.example:7000/2"]
        )
        #expect(shown.code == 0)
        #expect(shown.out.contains("rediss://shop@cache.example:7000/2"))
        #expect(!shown.out.contains("geheim"))
        let watched = try await Program.run(
            ["serve", "--print-config"],
            environment: ["BELFRY_TIMELINE_URL": "redis+sentinel://:geheim@one,two:7001/shop"]
        )
        #expect(watched.code == 0, "\(watched.err)")
        #expect(watched.out.contains("redis+sentinel://one:26379,two:7001/shop/0"))
        let wrong = try await Program.run(
            ["serve", "--print-config"],
            environment: ["BELFRY_TIMELINE_URL": "http://:geheim@cache.example"]
        )
        #expect(wrong.code == 78)
        #expect(wrong.err.contains("must begin with redis:// or rediss://"))
        #expect(!wrong.err.contains("geheim"))
    }

    private func server(_ name: String, _ redis: RedisProcess) async throws -> RunningServer {
        try await RunningServer(
            folder: "\(folder)/\(name)",
            arguments: ["--timeline-url", try await ready(redis)]
        )
    }

    private func addAccount(_ server: RunningServer) async throws {
        let result = try await Program.run(
            ["account", "add", "shop", "--kind", "webhook"] + server.keyFile,
            environment: server.environment
        )
        #expect(result.code == 0, "\(result.err)")
    }

    /// Its address, once it answers.
    private func ready(_ redis: RedisProcess) async throws -> String {
        try await redis.answers()
        return redis.address
    }
}
