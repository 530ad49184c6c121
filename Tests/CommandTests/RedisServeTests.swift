import BelfryRedisProcess
import Foundation
import Testing

@Suite("belfry on Redis")
struct RedisServeTests {
    private let folder =
        FileManager.default.temporaryDirectory.path() + "/serve-redis-\(UUID())"

    @Test("keeps pushes in Redis: another data folder's server finds them, and delivers them")
    func shares() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let redis = try RedisProcess()
        defer { redis.kill() }
        let first = try await server("first", redis)
        try await addAccount(first)
        #expect(try await first.schedule(id: "order/17").code == 0)
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
