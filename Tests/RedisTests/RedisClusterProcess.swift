import BelfryRedisProcess
import Foundation
import Synchronization

/// A Redis Cluster of the test's own: three primaries and a replica of each, on loopback.
final class RedisClusterProcess: Sendable {
    let servers: [RedisProcess]
    private let failsOver: Bool

    /// Starts six servers and makes a cluster of them with the command that people use.
    ///
    /// - Parameter milliseconds: without a word from a server for so long, the others take it for dead and its replica takes over. `nil`: never, as on a
    ///   slow machine a server that lives is silent for seconds.
    init(nodeTimeout milliseconds: Int? = nil) async throws {
        failsOver = milliseconds != nil
        // While they start they wait for each other by it: that is to be short in any case.
        var arguments = [
            "--cluster-enabled", "yes", "--cluster-node-timeout", "\(milliseconds ?? 1000)",
        ]
        if milliseconds == nil { arguments += ["--cluster-replica-no-failover", "yes"] }
        servers = try (0..<6).map { [arguments] _ in try RedisProcess(arguments) }
        for server in servers { try await server.answers() }
        let places = servers.map { "127.0.0.1:\($0.port)" }
        let made = try await run(
            "redis-cli",
            ["--cluster", "create"] + places + ["--cluster-replicas", "1", "--cluster-yes"]
        )
        guard made.status == 0 else {
            throw ServerMissing(description: "redis-cli made no cluster: \(made.output)")
        }
        try await isWhole()
    }

    var address: String { servers[0].address }

    func kill() { for server in servers { server.kill() } }

    /// One of the primaries.
    func primary() async throws -> RedisProcess? {
        for server in servers where try await server.command("ROLE").hasPrefix("master") {
            return server
        }
        return nil
    }

    /// Starts all again with what they have on disk.
    func restart() async throws {
        for server in servers { try server.restart() }
        try await isWhole()
    }

    /// Waits until every server sees the cluster whole: they tell each other, which takes them seconds.
    func isWhole() async throws {
        for server in servers {
            for _ in 0..<1000 {
                if try await server.command("CLUSTER", "INFO").contains("cluster_state:ok") {
                    break
                }
                try await Task.sleep(for: .milliseconds(20))
            }
        }
        for server in servers {
            let roles = try await server.command("INFO", "replication")
            if roles.contains("role:slave") { try await server.follows() }
        }
        guard !failsOver else { return }
        for server in servers {
            try await server.command("CONFIG", "SET", "cluster-node-timeout", "15000")
        }
    }
}

extension RedisProcess {
    /// Waits until a replica has everything that its primary has.
    func follows() async throws {
        for _ in 0..<500 {
            if try await command("INFO", "replication").contains("master_link_status:up") { return }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}

extension RedisProcess {
    /// Copies what it has on disk.
    func keepFiles(in place: String) throws {
        // There is nothing the first time.
        try? FileManager.default.removeItem(atPath: place)
        try FileManager.default.copyItem(atPath: folder, toPath: place)
    }

    /// Has on disk what it had then.
    func takeFiles(from place: String) throws {
        try FileManager.default.removeItem(atPath: folder)
        try FileManager.default.copyItem(atPath: place, toPath: folder)
    }
}

/// Runs when the tests' process ends: what is shared by tests has no other end.
func atExit(_ work: @escaping @Sendable () -> Void) {
    struct Works { static let list = Mutex<[@Sendable () -> Void]>([]) }
    let isFirst = Works.list.withLock { list in
        list.append(work)
        return list.count == 1
    }
    guard isFirst else { return }
    atexit { for work in Works.list.withLock({ $0 }) { work() } }
}
