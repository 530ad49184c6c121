import BelfryBench
import BelfryChannels
import BelfryCore
import BelfryPeers

extension Benchmark {
    static let remindersRabbitMQ = Benchmark(
        "reminders.200k.rabbitmq",
        "The burst of reminders on Redis, handed over to a durable queue of RabbitMQ and confirmed, by 1, 2 and 4 workers, against the same classic"
    ) { setting in
        try await RabbitMQServer.during(folder: setting.folder) { port in
            try RabbitMQConnection(port: port).declareQueue()
            let address = try RabbitMQAddress("amqp://guest:guest@127.0.0.1:\(port)")
            var rows: [Measurement] = []
            for workers in [1, 2, 4] {
                let channel = RabbitMQChannel(
                    address,
                    route: RabbitMQRoute(exchange: "", routingKey: RabbitMQConnection.queue),
                    timeout: .seconds(60),
                    clock: SystemClock()
                )
                var load = burst(setting)
                load.target = channel
                let ours = try await ReminderRun(.belfry, workers: workers, load)
                    .run(in: setting.folder)
                await channel.close()
                var classic = ReminderRun(.classic(.pipelined), workers: workers, load)
                classic.handOver = {
                    let connection = try RabbitMQConnection(port: port)
                    return { try connection.publish($0.map { ($0.id, $0.payload) }) }
                }
                let them = try await classic.run(in: setting.folder)
                rows += compared("reminders.200k.rabbitmq.\(workers)", ours, them)
            }
            return rows
        }
    }
}
