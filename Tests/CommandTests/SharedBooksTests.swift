import BelfryClient
import BelfryPostgresProcess
import BelfryRedisProcess
import BelfryTestSupport
import Foundation
import Testing

/// Two servers over one Redis and one PostgreSQL of records: what is made through one is known to the other.
@Suite("Accounts and topics of several servers")
struct SharedBooksTests {
    private struct Scene {
        let one: RunningServer
        let two: RunningServer
        let receiver: WebhookReceiver

        func run(_ server: RunningServer, _ arguments: String...) async throws -> String {
            let result = try await Program.run(
                arguments + one.keyFile,
                environment: server.environment
            )
            #expect(result.code == 0, "\(arguments): \(result.err)")
            return result.out
        }

        func received(_ name: String) -> Int {
            receiver.receipts.count { $0.id.contains(name) }
        }
    }

    @Test(
        "a topic made, moved and closed at one server holds at the other: told once, at the new time, or never"
    )
    func topics() async throws {
        try await withServers { scene in
            // Time for all that is asked before, also on a machine that is busy.
            let first = Date(timeIntervalSinceNow: 25)
            let moved = Date(timeIntervalSinceNow: 30)
            for topic in ["coupon", "closed"] {
                _ = try await scene.run(
                    scene.one,
                    "topic",
                    "set",
                    topic,
                    "--account",
                    "shop",
                    "--channel",
                    "webhook",
                    "--message",
                    "\(topic) opens",
                    "--opening",
                    text(first)
                )
                // The other server has never heard of it until it is asked.
                let told = try await scene.run(
                    scene.two,
                    "reminder",
                    "subscribe",
                    topic,
                    "a",
                    "b",
                    "c"
                )
                #expect(told == "subscribed  a\nsubscribed  b\nsubscribed  c\n")
            }
            _ = try await scene.run(scene.one, "topic", "move", "coupon", "--to", text(moved))
            _ = try await scene.run(scene.one, "topic", "close", "closed", "--yes")
            let late = try await scene.run(scene.two, "reminder", "subscribe", "coupon", "d")
            #expect(late == "subscribed  d\n")
            try await eventually("everybody is told") { scene.received("coupon") >= 4 }
            // What could still come too often is settled.
            try await eventually("nothing is pending") {
                try await isIdle(scene)
            }
            let receipts = scene.receiver.receipts
            #expect(receipts.count == 4, "\(receipts.map(\.id))")
            // Times are told in whole seconds.
            let opening = Int64(moved.timeIntervalSince1970) * 1000
            #expect(receipts.allSatisfy { $0.at >= opening })
        }
    }

    @Test("an account paused at one server holds at the other, until it is resumed")
    func pause() async throws {
        try await withServers { scene in
            // Known to both before it is paused.
            try await push("before", in: "0s", scene)
            try await eventually("it is sent") { scene.received("before") == 1 }
            _ = try await scene.run(
                scene.one,
                "account",
                "pause",
                "shop",
                "--reason",
                "stocktaking"
            )
            // Within two seconds both know, and pushes fall to both.
            for number in 0..<Self.held { try await push("held/\(number)", in: "3s", scene) }
            try await eventually("all are held") {
                let lines = try await scene.run(
                    scene.two,
                    "deliveries",
                    "--account",
                    "shop",
                    "--json"
                )
                return (0..<Self.held).allSatisfy { number in
                    lines.split(separator: "\n").contains {
                        $0.contains("\"held/\(number)\"") && $0.contains("held_paused")
                    }
                }
            }
            #expect(scene.received("held") == 0)
            _ = try await scene.run(scene.one, "account", "resume", "shop")
            try await eventually("all are sent") { scene.received("held") == Self.held }
        }
    }

    private static let held = 12

    private func push(_ id: String, in span: String, _ scene: Scene) async throws {
        _ = try await scene.run(
            scene.two,
            "push",
            "schedule",
            "--id",
            id,
            "--account",
            "shop",
            "--to",
            id,
            "--in",
            span,
            "--channel",
            "webhook",
            "--payload",
            id
        )
    }

    private func text(_ date: Date) -> String { date.formatted(.iso8601) }

    private func isIdle(_ scene: Scene) async throws -> Bool {
        let key = try String(contentsOfFile: scene.one.folder + "/admin.key", encoding: .utf8)
        let client = try APIClient(
            address: scene.one.address,
            key: key.trimmingCharacters(in: .whitespacesAndNewlines)
        )
        let stats = try await client.call(.get, "/v1/stats")
        return stats["scheduled"].integer == 0 && stats["in_flight"].integer == 0
    }

    /// Both servers run before there is any account.
    private func withServers(
        _ work: @escaping @Sendable (Scene) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.path() + "/books-\(UUID())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let redis = try RedisProcess()
        defer { redis.kill() }
        try await redis.answers()
        let postgres = try await PostgresProcess()
        defer { postgres.remove() }
        let flags = [
            "--timeline-url", redis.address, "--timeline-shards", "8", "--records-url",
            postgres.address(), "--webhook-allow", "127.0.0.1",
        ]
        try await WebhookReceiver.run(takes: .milliseconds(1)) { receiver, url in
            let one = try await RunningServer(folder: folder + "/one", arguments: flags)
            let two = try await RunningServer(
                folder: folder + "/two",
                arguments: flags + ["--secret-key-file", folder + "/one/secret.key"]
            )
            let scene = Scene(one: one, two: two, receiver: receiver)
            let secrets = folder + "/secrets"
            try "webhook_secret=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n".write(
                toFile: secrets,
                atomically: true,
                encoding: .utf8
            )
            _ = try await scene.run(
                one,
                "account",
                "add",
                "shop",
                "--kind",
                "webhook",
                "--webhook-url",
                url,
                "--secrets",
                secrets
            )
            try await work(scene)
            for server in [two, one] { await server.stop() }
        }
    }
}
