import BelfryCore
import BelfryRedisProcess
import BelfrySimulation
import Foundation
import Testing

@testable import BelfryRedis
@testable import BelfryRedisClient

@Suite("A primary that sentinels watch", .serialized)
struct SentinelTests {
    @Test("may die under load, twice: nothing that was accepted is lost")
    func dies() async throws {
        let watched = try await WatchedServers()
        defer { watched.remove() }
        let folder = NSTemporaryDirectory() + "belfry-sentinel-\(UUID())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var configuration = RedisConfiguration(owner: "test")
        configuration.shards = 8
        configuration.commandTimeout = .seconds(60)
        configuration.intents = .whereReplicated(folder: folder)
        let timeline = try await RedisTimeline.open(
            try RedisAddress(watched.address),
            configuration: configuration,
            clock: .given(ManualClock()),
            seed: 1
        )
        let load = ClusterLoad(timeline)
        let work = Task {
            await withTaskGroup { group in
                group.addTask { await load.schedule() }
                group.addTask { await load.deliver() }
            }
        }
        for _ in 0..<2 {
            await load.progress(100)
            let primary = try await watched.primary()
            try await watched.cutReplicas(of: primary)
            await load.progress(50)
            primary.kill()
            try await watched.elects(another: primary)
            try await watched.joinReplicas()
            try primary.restart()
            await load.progress(100)
            try await watched.follows(primary)
        }
        load.end()
        await work.value
        let found = try await load.findings()
        print(
            "Redis: of \(found.accepted) accepted, \(found.lost.count) lost in 2 fail-overs by Sentinel"
        )
        #expect(found.accepted > 300)
        #expect(found.lost == [])
        #expect(found.afterEnd == [] && found.endedTwice == [])
        await timeline.close()
    }

    @Test("is not used where the sentinels know no such name, and that is said")
    func unknown() async throws {
        let watched = try await WatchedServers()
        defer { watched.remove() }
        let address = watched.address.replacing("/shop", with: "/other")
        let error = await #expect(throws: TimelineError.self) {
            _ = try await RedisTimeline.open(
                try RedisAddress(address),
                configuration: RedisConfiguration(owner: "test"),
                seed: 1
            )
        }
        #expect(error?.message.contains("knows no other") == true, "\(error?.message ?? "")")
    }
}

/// A primary, two replicas and three sentinels on loopback.
private struct WatchedServers {
    let servers: [RedisProcess]
    let sentinels: [RedisProcess]

    init() async throws {
        let first = try RedisProcess()
        let others = try (0..<2).map { _ in
            try RedisProcess(["--replicaof", "127.0.0.1", "\(first.port)"])
        }
        servers = [first] + others
        for server in servers { try await server.answers() }
        for server in others { try await server.follows() }
        sentinels = try (0..<3).map { _ in
            try RedisProcess(sentinelOf: first.port, name: "shop", downAfter: 1000)
        }
        for sentinel in sentinels {
            try await sentinel.answers()
            try await until("a sentinel knows all others") {
                let text = try await sentinel.command("SENTINEL", "MASTER", "shop")
                let words = text.split(separator: "\n").map(String.init)
                func value(_ name: String) -> String? {
                    words.firstIndex(of: name).map { words[$0 + 1] }
                }
                return value("num-slaves") == "2" && value("num-other-sentinels") == "2"
            }
        }
    }

    var address: String {
        let places = sentinels.map { "127.0.0.1:\($0.port)" }.joined(separator: ",")
        return "redis+sentinel://\(places)/shop"
    }

    func remove() { for server in sentinels + servers { server.remove() } }

    /// As the first sentinel has it.
    func primary() async throws -> RedisProcess {
        let port = try await sentinels[0].command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "shop")
            .split(separator: "\n").last.flatMap { Int($0) }
        guard let server = servers.first(where: { $0.port == port }) else {
            throw ServerMissing(description: "the sentinels know no primary")
        }
        return server
    }

    /// The replicas hear of nothing any more.
    func cutReplicas(of primary: RedisProcess) async throws {
        for replica in servers where replica !== primary {
            try await replica.command("CONFIG", "SET", "masteruser", "nobody")
            try await replica.command("CONFIG", "SET", "masterauth", "wrong")
        }
        try await primary.command("CLIENT", "KILL", "TYPE", "replica")
    }

    func joinReplicas() async throws {
        for server in servers {
            try await server.command("CONFIG", "SET", "masteruser", "")
            try await server.command("CONFIG", "SET", "masterauth", "")
        }
    }

    func elects(another old: RedisProcess) async throws {
        try await until("the sentinels have chosen another primary") {
            let new = try await primary()
            guard new !== old else { return false }
            return try await new.command("ROLE").hasPrefix("master")
        }
    }

    /// Waits until a server that is back has become a replica.
    func follows(_ server: RedisProcess) async throws {
        try await until("the old primary follows the new one") {
            let info = try await server.command("INFO", "replication")
            return info.contains("role:slave") && info.contains("master_link_status:up")
        }
    }

    private func until(_ what: String, _ isSo: () async throws -> Bool) async throws {
        for _ in 0..<3000 {
            if try await isSo() { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw ServerMissing(description: "waited in vain until \(what)")
    }
}
