import BelfryBench
import Foundation

extension PeerProgram {
    /// The port mapper of a broker's own, for Erlang's nodes: the system's may serve others.
    package static func portMapper(port: Int, folder: String) throws -> PeerProgram {
        PeerProgram(
            "epmd",
            path: try Installed.program("epmd", package: "rabbitmq-server"),
            arguments: ["-port", String(port), "-address", "127.0.0.1"],
            folder: folder
        )
    }

    /// A broker with everything in a folder of its own, everything on loopback.
    ///
    /// - Parameters:
    ///   - mapper: the port of its ``portMapper(port:folder:)``.
    ///   - settings: lines of its `rabbitmq.conf`.
    package static func rabbitMQ(
        port: Int,
        mapper: Int,
        folder: String,
        settings: [String] = []
    ) throws -> PeerProgram {
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
        let plugins = "\(folder)/enabled_plugins"
        try Data("[].".utf8).write(to: URL(filePath: plugins))
        let lines = settings.map { $0 + "\n" }.joined()
        try Data(lines.utf8).write(to: URL(filePath: "\(folder)/rabbitmq.conf"))
        broker.environment = [
            "HOME": folder,
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": String(mapper),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_CONFIG_FILE": "\(folder)/rabbitmq",
            "RABBITMQ_DIST_PORT": String(try LoopbackPort.free()),
            "RABBITMQ_ENABLED_PLUGINS_FILE": plugins,
            "RABBITMQ_LOG_BASE": "\(folder)/log",
            "RABBITMQ_MNESIA_BASE": "\(folder)/mnesia",
            "RABBITMQ_NODENAME": "belfry@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": String(port),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS":
                "-kernel inet_dist_use_interface {127,0,0,1} -setcookie belfry",
            // Its start script then becomes the server instead of waiting beside it: one process id.
            "RUNNING_UNDER_SYSTEMD": "1",
        ]
        return broker
    }
}
