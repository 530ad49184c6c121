import BelfryClient
import BelfryPostgresProcess
import Foundation
import Testing

@Suite("belfry config")
struct ConfigTests {
    @Test(
        "sets, shows, tells the history and rolls back; a pause holds what is due until it is cleared"
    )
    func config() async throws {
        let folder = FileManager.default.temporaryDirectory.path() + "/config-\(UUID())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let server = try await RunningServer(folder: folder)
        func run(_ arguments: String...) async throws -> Program.Result {
            try await Program.run(arguments + server.keyFile, environment: server.environment)
        }
        #expect(try await run("account", "add", "shop", "--kind", "webhook").code == 0)
        let set = try await run("config", "set", "delivery.batch=500", "account.shop.paused=later")
        #expect(set.code == 0, "\(set.err)")
        #expect(set.out == "revision 1\naccount.shop.paused=later\ndelivery.batch=500\n")
        #expect(try await run("config", "get", "delivery.batch").out == "500\n")
        let all = try await run("config", "get")
        #expect(all.out.contains("revision 1") && all.out.contains("node "), "\(all.out)")
        #expect(try await run("config", "get", "--keys").out.contains("flow.ACCOUNT/FLOW.paused"))

        let sent = folder + "/log-channel.ndjson"
        let now = [
            "push", "schedule", "--id", "held", "--account", "shop", "--to", "somebody", "--in",
            "0s", "--channel", "log", "--payload", "x",
        ]
        let scheduled = try await Program.run(
            now + server.keyFile,
            environment: server.environment
        )
        #expect(scheduled.code == 0, "\(scheduled.err)")
        // Delivery has seen it, and has put it back.
        var looks = 0
        while looks < 100, try await !run("deliveries", "--account", "shop").out.contains("held") {
            looks += 1
        }
        #expect(looks < 100)
        #expect(!FileManager.default.fileExists(atPath: sent))

        let wrong = try await run("config", "set", "delivery.batch=0")
        #expect(wrong.code == 65 && wrong.err.contains("1 to 10000"), "\(wrong.err)")
        #expect(try await run("config", "set", "nothing").code == 64)
        let twice = try await run("config", "set", "delivery.batch=1", "delivery.batch=2")
        #expect(twice.code == 64 && twice.err.contains("set twice"), "\(twice.err)")
        let misspelt = try await run("config", "set", "delivery.bacth=1")
        #expect(misspelt.err.contains("did you mean 'delivery.batch'?"), "\(misspelt.err)")
        let stale = try await run("config", "set", "delivery.batch=9", "--revision", "0")
        #expect(stale.code == 65)
        let back = try await run("config", "rollback", "0")
        #expect(back.out == "revision 2\n")
        let history = try await run("config", "history")
        #expect(history.out.contains("account.shop.paused") && history.out.contains("later"))
        let json = try await run("config", "get", "--json")
        #expect(json.out.contains(#""revision":2"#))
        await server.stop()
        // What is in force outlives a restart.
        let again = try await RunningServer(folder: folder)
        let kept = try await Program.run(
            ["config", "get"] + again.keyFile,
            environment: again.environment
        )
        #expect(kept.out.hasPrefix("revision 2\n"))
        await again.stop()
    }

    @Test(
        "what is set through one server holds on another over the same records within two seconds, shown for each"
    )
    func twoServers() async throws {
        let folder = FileManager.default.temporaryDirectory.path() + "/config-\(UUID())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let postgres = try await PostgresProcess()
        defer { postgres.remove() }
        let flags = ["--timeline-url", postgres.address(), "--records-url", postgres.address()]
        let first = try await RunningServer(folder: "\(folder)/one", arguments: flags)
        let second = try await RunningServer(
            folder: "\(folder)/two",
            arguments: flags + ["--secret-key-file", "\(folder)/one/secret.key"]
        )
        func config(_ server: RunningServer, _ arguments: String...) async throws -> Program.Result
        {
            try await Program.run(
                ["config"] + arguments + first.keyFile,
                environment: server.environment
            )
        }
        var spans: [Double] = []
        // Once must do; a machine that is busy with something else may be late more often.
        for batch in 1...5 where !spans.contains(where: { $0 <= 2 }) {
            let set = try await config(first, "set", "delivery.batch=\(batch)")
            #expect(set.code == 0, "\(set.err)")
            spans.append(try await applied(revision: batch) { try await config(second, $0, $1) })
        }
        #expect(spans.contains { $0 <= 2 }, "\(spans)")
        let wrong = try await config(second, "set", "delivery.batch=0")
        #expect(wrong.code == 65 && wrong.err.contains("1 to 10000"), "\(wrong.err)")
        let back = try await config(second, "rollback", "0")
        #expect(back.out == "revision \(spans.count + 1)\n", "\(back.err)")
        _ = try await applied(revision: spans.count + 1) { try await config(first, $0, $1) }
        #expect(try await config(first, "get", "delivery.batch").out == "2000\n")
        await second.stop()
        let left = try await config(first, "get")
        #expect(left.out.split(separator: "\n").count { $0.hasPrefix("node ") } == 1, "\(left.out)")
        await first.stop()
    }

    /// Waits until both nodes have applied a revision.
    ///
    /// - Returns: seconds from when it was made until the last had it, by what the nodes say.
    private func applied(
        revision: Int,
        _ config: (String, String) async throws -> Program.Result
    ) async throws -> Double {
        for _ in 0..<600 {
            let answer = try JSON(parsing: try await config("get", "--json").out.utf8)
            let nodes = answer["nodes"].array
            let isThere = nodes.allSatisfy { $0["revision"].integer == Int64(revision) }
            if nodes.count == 2, isThere {
                let made = try time(answer["live"]["at"])
                return try nodes.map { try time($0["at"]) - made }.max() ?? 0
            }
        }
        Issue.record("revision \(revision) was not applied")
        return .infinity
    }

    private func time(_ value: JSON) throws -> Double {
        let text = try #require(value.string)
        let style = Date.ISO8601FormatStyle(includingFractionalSeconds: text.contains("."))
        return try Date(text, strategy: style).timeIntervalSince1970
    }
}
