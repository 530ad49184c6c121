import Foundation

/// A Redis Cluster of the caller's own: three primaries and a replica of each, on loopback.
package final class RedisClusterProcess: Sendable {
    package let servers: [RedisProcess]
    private let failsOver: Bool

    /// Starts six servers and makes a cluster of them with the command that people use.
    ///
    /// - Parameters:
    ///   - milliseconds: without a word from a server for so long, the others take it for dead and its replica takes over. `nil`: never, as on a
    ///     slow machine a server that lives is silent for seconds.
    ///   - more: options of every redis-server, in place of the usual ones.
    package init(nodeTimeout milliseconds: Int? = nil, arguments more: [String] = []) async throws {
        failsOver = milliseconds != nil
        // While they start they wait for each other by it: that is to be short in any case.
        var arguments = [
            "--cluster-enabled", "yes", "--cluster-node-timeout", "\(milliseconds ?? 1000)",
        ]
        if milliseconds == nil { arguments += ["--cluster-replica-no-failover", "yes"] }
        arguments += more
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

    package var address: String { servers[0].address }

    package func kill() { for server in servers { server.kill() } }

    /// One of the primaries.
    package func primary() async throws -> RedisProcess? {
        for server in servers where try await server.command("ROLE").hasPrefix("master") {
            return server
        }
        return nil
    }

    /// Starts all again with what they have on disk.
    package func restart() async throws {
        for server in servers { try server.restart() }
        try await isWhole()
    }

    /// Waits until every server sees the cluster whole: they tell each other, which takes them seconds.
    package func isWhole() async throws {
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
    package func follows() async throws {
        for _ in 0..<500 {
            if try await command("INFO", "replication").contains("master_link_status:up") { return }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}
