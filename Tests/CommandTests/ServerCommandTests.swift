import BelfryClient
import Foundation
import Testing

/// Commands against a real server of their own.
@Suite("Commands that need a server")
struct ServerCommandTests {
    private func withServer(
        _ work: (RunningServer, (String...) async throws -> Program.Result) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.path() + "/server-\(UUID())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let server = try await RunningServer(folder: folder)
        try await work(server) { (arguments: String...) in
            try await Program.run(arguments + server.keyFile, environment: server.environment)
        }
        #expect(await server.stop() == 0)
    }

    @Test("a push is scheduled, found, replaced and cancelled")
    func push() async throws {
        try await withServer { server, run in
            #expect(try await run("account", "add", "shop", "--kind", "webhook").code == 0)
            #expect(try await server.schedule(id: "a/1").out.hasPrefix("accepted  a/1"))
            #expect(try await server.schedule(id: "a/1").out.hasPrefix("replaced  a/1"))
            let found = try await run("push", "find", "a/1", "--json")
            #expect(found.out.contains(#""state":"scheduled""#))
            let cancelled = try await run("push", "cancel", "a/1", "a/2")
            #expect(cancelled.out == "cancelled  a/1\ngone  a/2\n")
            #expect(try await run("push", "find", "a/1").code == 65)
        }
    }

    @Test("a push that its account cannot carry is refused at the door, until the account is set")
    func impossible() async throws {
        try await withServer { server, run in
            func schedule(_ channel: String) async throws -> Program.Result {
                try await run(
                    "push",
                    "schedule",
                    "--id",
                    "a/1",
                    "--account",
                    "shop",
                    "--to",
                    "somebody",
                    "--in",
                    "1d",
                    "--channel",
                    channel,
                    "--payload",
                    #"{"msgtype":"text","text":{"content":"x"}}"#
                )
            }
            #expect(try await run("account", "add", "shop", "--kind", "webhook").code == 0)
            for (channel, why) in [
                ("webhook", "needs the account's webhook address"), ("wechat", "of kind webhook"),
            ] {
                let refused = try await schedule(channel)
                #expect(refused.code == 65 && refused.err.contains(why), "\(refused)")
            }
            #expect(try await run("account", "set", "shop").code == 65)
            let secrets = server.folder + "/shop.secrets"
            try "webhook_secret=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n".write(
                toFile: secrets,
                atomically: true,
                encoding: .utf8
            )
            let set = try await run(
                "account",
                "set",
                "shop",
                "--webhook-url",
                "https://example.com/push",
                "--rate",
                "7",
                "--quiet-hours",
                "22:00-08:00",
                "--secrets",
                secrets,
                "--json"
            )
            #expect(set.code == 0 && set.out.contains(#""rate":7"#), "\(set)")
            #expect(set.out.contains(#""quiet_hours":{"from":"22:00","to":"08:00"}"#))
            #expect(try await schedule("webhook").code == 0)
            #expect(try await run("account", "resume", "shop").out.contains("was not paused"))
            let cleared = try await run("account", "set", "shop", "--rate", "none", "--json")
            #expect(cleared.out.contains(#""rate":null"#))
        }
    }

    @Test("deliveries are listed by filters, and a person whom only pushes know is shown")
    func deliveries() async throws {
        try await withServer { server, run in
            #expect(try await run("account", "add", "shop", "--kind", "webhook").code == 0)
            #expect(try await run("account", "pause", "shop").code == 0)
            #expect(try await run("people", "show", "shop", "nobody").code == 65)
            #expect(
                try await run(
                    "push",
                    "schedule",
                    "--id",
                    "now",
                    "--account",
                    "shop",
                    "--to",
                    "c-1",
                    "--in",
                    "0s",
                    "--channel",
                    "log",
                    "--payload",
                    "x"
                ).code == 0
            )
            var held = ""
            while !held.contains("held_paused") {
                held = try await run("deliveries", "--account", "shop", "--to", "c-1").out
            }
            let none = try await run("deliveries", "--account", "shop", "--outcome", "sent")
            #expect(none.out == "nothing yet\n")
            let shown = try await run("people", "show", "shop", "c-1")
            #expect(shown.code == 0 && shown.out.contains("known by pushes alone"), "\(shown)")
            #expect(shown.out.contains("scheduled") && shown.out.contains("held_paused"))
            #expect(try await run("deliveries", "--to", "c-1").code == 64)
            #expect(try await run("deliveries", "--state", "no-such-state").code == 65)
        }
    }

    @Test("what fails with --json says so in one JSON object, with the same exit code")
    func jsonFailures() async throws {
        try await withServer { _, run in
            let missing = try await run("push", "find", "no/such", "--json")
            #expect(missing.code == 65)
            let error = try JSONDecoder().decode(Told.self, from: Data(missing.out.utf8)).error
            #expect(error.code == "not_found" && error.exitCode == 65)
            #expect(error.message.contains("no/such"))
        }
        let (find, away) = (["push", "find", "a", "--json"], ["--server", "http://127.0.0.1:9"])
        for (arguments, code, name) in [
            (find + away, 69, "unavailable"), (["push", "find", "--json"], 64, "usage"),
        ] {
            let result = try await Program.run(arguments)
            #expect(Int(result.code) == code)
            let error = try JSONDecoder().decode(Told.self, from: Data(result.out.utf8)).error
            #expect(error.code == name && error.exitCode == code && !error.remedy.isEmpty)
        }
    }

    private struct Told: Decodable {
        struct Content: Decodable {
            var code: String
            var message: String
            var remedy: String
            var exitCode: Int

            enum CodingKeys: String, CodingKey {
                case code, message, remedy
                case exitCode = "exit_code"
            }
        }

        var error: Content
    }

    @Test("a push to an unknown account is refused by the name of its option")
    func refused() async throws {
        try await withServer { server, _ in
            let result = try await server.schedule(id: "a/1")
            #expect(result.code == 65)
            #expect(result.err.contains("--account is no account of this server"))
        }
    }

    @Test("what strangers have written does nothing to the terminal, wherever it is shown")
    func harmlessNames() async throws {
        try await withServer { server, run in
            #expect(try await run("account", "add", "shop", "--kind", "webhook").code == 0)
            let name = "x\r\n\u{1B}[2J\u{9B}31m\u{202E}y"
            let shown = #"x\r\n\u001B[2J\u009B31m\u202Ey"#
            let scheduled = try await run(
                "push",
                "schedule",
                "--id",
                name,
                "--account",
                "shop",
                "--to",
                name,
                "--in",
                "1d",
                "--channel",
                "log",
                "--payload",
                name
            )
            var results = [scheduled, try await run("push", "find", name)]
            let json = try await run("push", "find", name, "--json").out
            results.append(try await run("push", "cancel", name))
            results.append(try await run("deliveries", "--account", "shop"))
            results.append(try await run("people", "show", "shop", name))
            for result in results {
                #expect(result.code == 0 && result.out.contains(shown), "\(result)")
            }
            let missing = try await run("push", "find", name)
            // Messages for people may have several lines.
            let rest = #"\u001B[2J\u009B31m\u202Ey"#
            #expect(missing.code == 65 && missing.err.contains(rest), "\(missing)")
            for text in results.map(\.out) + [missing.err, json] {
                let harmful = text.unicodeScalars.filter {
                    $0 != "\n" && $0.properties.generalCategory == .control
                }
                #expect(harmful.isEmpty, "\(text.debugDescription)")
                #expect(!text.unicodeScalars.contains("\u{202E}"))
            }
        }
    }

    @Test("every channel that the server has is named where one is asked for")
    func channels() async throws {
        for command in [["push", "schedule"], ["topic", "set"]] {
            let help = try await Program.run(command + ["--help"]).out
            let words = help.split { !$0.isLetter && $0 != "-" }
            for name in [
                "wechat", "template", "subscribe", "webhook", "rabbitmq", "redis-stream", "log",
            ] {
                #expect(words.contains(Substring(name)), "\(command): \(name)")
            }
        }
    }

    @Test("bulk tells wrong lines by number and accepts the rest; ends with 65")
    func bulk() async throws {
        try await withServer { server, run in
            #expect(try await run("account", "add", "shop", "--kind", "webhook").code == 0)
            let good =
                #"{"id":"b/1","account":"shop","to":"1","delay":"1d","channel":"log","payload":"x"}"#
            let bad = #"{"id":"b/2","acount":"shop"}"#
            let result = try await Program.run(
                ["push", "bulk", "--json"] + server.keyFile,
                input: good + "\n\n" + bad + "\n",
                environment: server.environment
            )
            #expect(result.code == 65)
            #expect(result.err.isEmpty, "\(result.err)")
            let summary = try JSON(parsing: Array(result.out.utf8))
            #expect(summary["accepted"].integer == 1 && summary["errors"].integer == 1)
            let refused = try #require(summary["refused"].array.first)
            #expect(refused["line"].integer == 3 && refused["id"].string == "b/2")
            #expect(refused["pointer"].string == "/acount")
            #expect(refused["detail"].string?.contains("did you mean 'account'?") == true)
            let told = try await Program.run(
                ["push", "bulk"] + server.keyFile,
                input: good + "\n\n" + bad + "\n",
                environment: server.environment
            )
            #expect(told.code == 65 && told.out == "0 accepted, 1 replaced, 1 refused\n")
            #expect(
                told.err.contains("line 3 (b/2): /acount is not known; did you mean 'account'?")
            )
        }
    }

    @Test("a flow is applied after its plan, listed, compared and exported")
    func flow() async throws {
        try await withServer { server, run in
            #expect(try await run("account", "add", "shop", "--kind", "webhook").code == 0)
            let file = server.folder + "/hello.yaml"
            let yaml =
                "key: hello\ntrigger: api\nsteps:\n  - id: first\n    after: 5s\n    text: hi\n"
            try yaml.write(toFile: file, atomically: true, encoding: .utf8)
            #expect(try await run("flow", "diff", "shop", file).code == 1)
            // Nobody is there to ask, so nothing is published.
            #expect(try await run("flow", "apply", "shop", file).code == 65)
            #expect(try await run("flow", "list", "shop").out.hasPrefix("no flows yet"))
            let applied = try await run("flow", "apply", "shop", file, "--yes")
            #expect(applied.out.contains("hello: version 1 is published"), "\(applied)")
            #expect(try await run("flow", "diff", "shop", file).out == "nothing differs\n")
            #expect(try await run("flow", "export", "shop", "hello").out == yaml)
            try yaml.replacing("5s", with: "6s").write(
                toFile: file,
                atomically: true,
                encoding: .utf8
            )
            let diff = try await run("flow", "diff", "shop", file)
            #expect(diff.code == 1)
            #expect(diff.out == "~ step first: when (structure)\n")
        }
    }

    @Test("a key works within its scopes until it is revoked; without one it is 77")
    func keys() async throws {
        try await withServer { server, run in
            let made = try await run("key", "create", "reader", "--scope", "read")
            let key = made.out.trimmingCharacters(in: .whitespacesAndNewlines)
            #expect(key.hasPrefix("bfy_"))
            let reader = server.environment.merging(["BELFRY_KEY": key]) { $1 }
            let (accounts, keys) = (["account", "list"], ["key", "list"])
            #expect(try await Program.run(accounts, environment: reader).code == 0)
            #expect(try await Program.run(keys, environment: reader).code == 77)
            let id = try #require(
                made.err.split(separator: " ").drop { $0 != "made" }.dropFirst().first
            )
            #expect(try await run("key", "revoke", String(id.filter { $0 != ";" })).code == 0)
            #expect(try await Program.run(accounts, environment: reader).code == 77)
            let without = try await Program.run(
                ["account", "list"],
                environment: server.environment
            )
            #expect(without.code == 77)
            #expect(without.err.contains("--key-file"))
        }
    }

    @Test("account check tells what is missing; secrets come from a file and are never shown")
    func accounts() async throws {
        try await withServer { server, run in
            #expect(try await run("account", "add", "wx").code == 0)
            let check = try await run("account", "check", "wx")
            #expect(check.code == 65)
            #expect(check.out.contains("missing: secret:"))
            let secrets = server.folder + "/wx.secrets"
            try "secret=hush-hush\ntoken=abc\n".write(
                toFile: secrets,
                atomically: true,
                encoding: .utf8
            )
            let added = try await run(
                "account",
                "add",
                "wy",
                "--mode",
                "plain",
                "--app-id",
                "wx1",
                "--secrets",
                secrets,
                "--json"
            )
            #expect(added.code == 0, "\(added.err)")
            #expect(!added.out.contains("hush"))
            #expect(try await run("account", "check", "wy").code == 0)
            #expect(
                try await run("account", "pause", "wy", "--reason", "test").out.contains("test")
            )
            #expect(try await run("account", "resume", "wy").code == 0)
            #expect(try await run("people", "list", "wy").out.hasPrefix("nobody yet"))
            #expect(try await run("dead-letter", "list").out == "there are no dead letters\n")
            #expect(
                try await run("dead-letter", "retry", "--account", "wy", "--dry-run").out
                    == "0 would be scheduled again\n"
            )
        }
    }

    @Test("a second server on the same folder ends with 75, one on the same port with 73")
    func second() async throws {
        try await withServer { server, _ in
            let folder = try await Program.run(
                ["serve", "--data-folder", server.folder, "--http-port", "0"]
            )
            #expect(folder.code == 75)
            #expect(folder.err.contains("in use by another process"))
            let other = server.folder + "/other"
            let port = server.address.split(separator: ":").last.map(String.init) ?? ""
            let result = try await Program.run(
                ["serve", "--data-folder", other, "--http-port", port]
            )
            #expect(result.code == 73)
            #expect(result.err.contains("is in use by another program"))
        }
    }

    @Test("a folder that cannot be made ends with 73 and says so")
    func noFolder() async throws {
        let result = try await Program.run(["serve", "--data-folder", "/dev/null/belfry"])
        #expect(result.code == 73)
        #expect(result.err.contains("/dev/null/belfry cannot be made"))
    }
}
