import BelfryPostgresProcess
import BelfryRabbitMQProcess
import BelfryRedisProcess

/// What the workers share: a Redis Cluster with three primaries and their replicas, a PostgreSQL, and a RabbitMQ with one durable queue. All on
/// loopback and ports that nobody uses, in temporary folders.
struct ClusterServers: Sendable {
    static let queue = "belfry"

    let redis: RedisClusterProcess
    let postgres: PostgresProcess
    let broker: RabbitMQProcess

    /// Starts all of them at once; it takes seconds.
    static func start() async throws -> ClusterServers {
        // A primary that is silent for two seconds is taken for dead. Its file is synced every second, as most people have it.
        async let redis = RedisClusterProcess(
            nodeTimeout: 2000,
            arguments: ["--appendfsync", "everysec"]
        )
        async let postgres = PostgresProcess()
        let broker = try RabbitMQProcess()
        try await broker.answers()
        try RabbitMQQueue(broker, queue).declare()
        return try await ClusterServers(redis: redis, postgres: postgres, broker: broker)
    }

    /// Ends all of them, with what they have on disk.
    func remove() {
        for server in redis.servers { server.remove() }
        postgres.remove()
        broker.remove()
    }

    /// What a worker needs to know of them.
    var settings: [String: String] {
        let others = redis.servers.dropFirst().map { "127.0.0.1:\($0.port)" }
        return [
            "BELFRY_TIMELINE_URL": "\(redis.address)?seeds=\(others.joined(separator: ","))",
            "BELFRY_RECORDS_URL": postgres.address(),
            "BELFRY_RABBITMQ_URL": broker.address,
            "BELFRY_RABBITMQ_ROUTING_KEY": Self.queue,
        ]
    }
}
