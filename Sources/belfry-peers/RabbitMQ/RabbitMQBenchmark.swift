import BelfryBench
import BelfryPeers
import Foundation

extension Benchmark {
    /// Without any delay: RabbitMQ has none of its own, so this is its best case.
    static let scheduleRabbitMQ = Benchmark(
        "schedule.rabbitmq",
        "Persistent messages published to a durable queue of RabbitMQ, confirmed, without a delay, against schedule.durable"
    ) { setting in
        let pushes = setting.count(200, least: 4) * BenchPushes.batch
        let seconds = try await RabbitMQServer.during(folder: setting.folder) { port in
            let queue = try RabbitMQConnection(port: port)
            try queue.declareQueue()
            let seconds = try await PeerLoad.put(0..<pushes, prepare: { $0 }) {
                let connection = try RabbitMQConnection(port: port)
                return { try connection.publish($0) }
            }
            try PeerLoad.check("RabbitMQ", holds: try queue.declareQueue(), of: pushes)
            return seconds
        }
        return [
            try await PeerLoad.measurement(
                "schedule.rabbitmq",
                pushes: pushes,
                seconds: seconds,
                setting
            )
        ]
    }
}

/// A broker of its own, with a port mapper of its own for Erlang's nodes: the system's may serve others.
enum RabbitMQServer {
    static func during<Value>(folder: String, _ work: (_ port: Int) async throws -> Value)
        async throws -> Value
    {
        let mapperPort = try LoopbackPort.free()
        let mapper = PeerProgram(
            "epmd",
            path: try Installed.program("epmd", package: "rabbitmq-server"),
            arguments: ["-port", String(mapperPort), "-address", "127.0.0.1"],
            folder: folder
        )
        let port = try LoopbackPort.free()
        var broker = PeerProgram(
            "rabbitmq-server",
            // The one on the path changes the user and uses the system's folders.
            path: try Installed.program(
                "rabbitmq-server",
                package: "rabbitmq-server",
                in: ["/usr/lib/rabbitmq/bin"]
            ),
            arguments: [],
            folder: folder
        )
        broker.environment = try environment(folder: folder, port: port, mapper: mapperPort)
        broker.greet = { _ = try RabbitMQConnection(port: $0) }
        return try await PeerServer.during(mapper, port: mapperPort) { _ in
            try await PeerServer.during(broker, port: port) { _ in try await work(port) }
        }
    }

    /// Everything in the benchmark's folder, everything on loopback.
    private static func environment(folder: String, port: Int, mapper: Int) throws
        -> [String: String]
    {
        let plugins = "\(folder)/enabled_plugins"
        try Data("[].".utf8).write(to: URL(filePath: plugins))
        return [
            "HOME": folder,
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": String(mapper),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_CONFIG_FILE": "\(folder)/none",
            "RABBITMQ_DIST_PORT": String(try LoopbackPort.free()),
            "RABBITMQ_ENABLED_PLUGINS_FILE": plugins,
            "RABBITMQ_LOG_BASE": "\(folder)/log",
            "RABBITMQ_MNESIA_BASE": "\(folder)/mnesia",
            "RABBITMQ_NODENAME": "belfry-bench@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": String(port),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS":
                "-kernel inet_dist_use_interface {127,0,0,1} -setcookie belfry",
            // Its start script then becomes the server instead of waiting beside it: one process id.
            "RUNNING_UNDER_SYSTEMD": "1",
        ]
    }
}
