import BelfryRabbitMQProcess
import Foundation
import Testing

@Suite("belfry with RabbitMQ")
struct RabbitMQServeTests {
    private let folder =
        FileManager.default.temporaryDirectory.path() + "/serve-rabbitmq-\(UUID())"

    @Test("hands a push over to the broker when it is due")
    func handsOver() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let broker = try RabbitMQProcess()
        defer { broker.remove() }
        try await broker.answers()
        let queue = try RabbitMQQueue(broker, "orders.shop")
        try queue.declare()
        let server = try await RunningServer(
            folder: folder,
            arguments: [
                "--rabbitmq-url", broker.address, "--rabbitmq-routing-key", "orders.{account}",
            ]
        )
        try await add(server)
        #expect(try await push(server).code == 0)
        var got = try queue.take()
        for _ in 0..<1200 where got.isEmpty {
            // Two other processes are on their way; nothing but looking tells when it has come.
            try await Task.sleep(for: .milliseconds(50))
            got = try queue.take()
        }
        #expect(got.map(\.body) == ["x"])
        #expect(got.first?.headers["belfry-id"] == "order/17")
        await server.stop()
    }

    @Test(
        "refuses pushes to a broker that is not set up, and an address that is none, without its password"
    )
    func refuses() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let server = try await RunningServer(folder: folder)
        try await add(server)
        let refused = try await push(server)
        #expect(refused.code != 0)
        #expect(refused.err.contains("rabbitmq.url is empty"), "\(refused.err)")
        await server.stop()
        let wrong = try await Program.run(
            ["serve", "--print-config"],
            environment: ["BELFRY_RABBITMQ_URL": "amqps://shop:geheim@mq.example?verify=never"]
        )
        #expect(wrong.code == 78)
        #expect(wrong.err.contains("verify_peer and verify_none"))
        #expect(!wrong.err.contains("geheim"))
    }

    private func add(_ server: RunningServer) async throws {
        let result = try await Program.run(
            ["account", "add", "shop", "--kind", "webhook"] + server.keyFile,
            environment: server.environment
        )
        #expect(result.code == 0, "\(result.err)")
    }

    private func push(_ server: RunningServer) async throws -> Program.Result {
        try await Program.run(
            [
                "push", "schedule", "--id", "order/17", "--account", "shop", "--to", "anna",
                "--in", "1s", "--channel", "rabbitmq", "--payload", "x",
            ] + server.keyFile,
            environment: server.environment
        )
    }
}
