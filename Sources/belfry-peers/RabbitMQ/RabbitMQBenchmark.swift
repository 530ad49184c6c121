import BelfryBench
import BelfryPeers

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

/// A broker of its own, for one benchmark.
enum RabbitMQServer {
    static func during<Value>(folder: String, _ work: (_ port: Int) async throws -> Value)
        async throws -> Value
    {
        let mapperPort = try LoopbackPort.free()
        let mapper = try PeerProgram.portMapper(port: mapperPort, folder: folder)
        let port = try LoopbackPort.free()
        var broker = try PeerProgram.rabbitMQ(port: port, mapper: mapperPort, folder: folder)
        broker.greet = { _ = try RabbitMQConnection(port: $0) }
        return try await PeerServer.during(mapper, port: mapperPort) { _ in
            try await PeerServer.during(broker, port: port) { _ in try await work(port) }
        }
    }
}
