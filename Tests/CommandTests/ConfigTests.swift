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
}
