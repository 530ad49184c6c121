import BelfryBench
import BelfryCore
import Foundation

/// A Redis that keeps pushes as a delay queue on Redis does: a hash of records by id, and a set of ids sorted by due time. `BELFRY_REDIS_SERVER` names another program
/// to start, such as a valkey-server.
struct RedisServer: Sendable {
    let server: PeerServer

    /// Runs one in a new folder within `folder`, with an append-only file that is synced every second: what is accepted within a second is lost with the power.
    static func during<Value>(folder place: String, _ work: (RedisServer) async throws -> Value)
        async throws -> Value
    {
        let folder = "\(place)/redis-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: folder,
            withIntermediateDirectories: false
        )
        // The benchmark's own folder, which this lies in, is removed in any case.
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let port = try LoopbackPort.free()
        let program = PeerProgram(
            "redis-server",
            path: try ProcessInfo.processInfo.environment["BELFRY_REDIS_SERVER"]
                ?? Installed.program("redis-server", package: "redis-server"),
            arguments: [
                "--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--save", "",
                "--appendonly", "yes", "--appendfsync", "everysec", "--daemonize", "no",
            ],
            folder: folder
        )
        return try await PeerServer.during(program, port: port) {
            try await work(RedisServer(server: $0))
        }
    }

    /// Puts pushes, each with a call of the script, a batch of them at a time in one pipeline.
    ///
    /// - Returns: seconds.
    func put(_ serials: Range<Int>) async throws -> Double {
        let now = SystemClock().now()
        let script = try loadScript()
        return try await PeerLoad.put(
            serials,
            prepare: { serials in
                (bytes: RedisProtocol.puts(serials, script: script, from: now), serials.count)
            },
            connect: { [port = server.port] in
                let connection = try LineConnection(port: port)
                return { try connection.ask($0.bytes, for: $0.1, beginning: ":") }
            }
        )
    }

    /// How many pushes both structures hold.
    func pushes() throws -> Int {
        let connection = try LineConnection(port: server.port)
        let hash = RedisProtocol.integer(try connection.ask("HLEN pushes\r\n").first)
        let set = RedisProtocol.integer(try connection.ask("ZCARD due\r\n").first)
        guard let hash, hash == set else { throw LoadFailure("hash and set differ") }
        return hash
    }

    private func loadScript() throws -> String {
        let command = RedisProtocol.command(["SCRIPT", "LOAD", RedisProtocol.script])
        let answer = try LineConnection(port: server.port)
            .ask(String(decoding: command, as: UTF8.self), lines: 2)
        guard answer.count == 2, answer[0] == "$40" else {
            throw LoadFailure("Redis took no script: \(answer)")
        }
        return answer[1]
    }
}
