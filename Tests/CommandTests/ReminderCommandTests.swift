import Foundation
import Testing

/// Topics and reminders from the command line, against a real server.
@Suite("Topics and reminders on the command line")
struct ReminderCommandTests {
    private func withServer(
        _ work: (RunningServer, ([String]) async throws -> Program.Result) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.path() + "/server-\(UUID())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let server = try await RunningServer(folder: folder)
        try await work(server) { arguments in
            try await Program.run(arguments + server.keyFile, environment: server.environment)
        }
        #expect(await server.stop() == 0)
    }

    private static let set = [
        "topic", "set", "coupon", "--account", "shop", "--channel", "log", "--opening",
        "2030-01-01T10:00:00+08:00",
    ]

    @Test("a topic is set, changed in part, moved, shown, listed and closed")
    func topic() async throws {
        try await withServer { _, run in
            #expect(try await run(["account", "add", "shop", "--kind", "webhook"]).code == 0)
            let made = try await run(Self.set + ["--message", "{{title}} opens"])
            #expect(made.code == 0 && made.out.contains("everybody is there"), "\(made)")
            let merged = try await run([
                "topic", "set", "coupon", "--lead", "5m", "--merge", "collect", "--grace", "60s",
                "--merge-message", "{{titles}}", "--json",
            ])
            #expect(merged.out.contains(#""mode":"collect""#), "\(merged)")
            #expect(merged.out.contains(#""message":"{{title}} opens""#))
            #expect(merged.out.contains(#""due":"2030-01-01T01:55:00.000Z""#))
            // Local time of the account, whose zone is Shanghai.
            let moved = try await run(["topic", "move", "coupon", "--to", "2030-01-01T11:00"])
            #expect(moved.out.contains("opens 2030-01-01T03:00:00.000Z"), "\(moved)")
            let bare = try await run(["topic", "move", "coupon", "--to", "1893466800000"])
            #expect(bare.out.contains("opens 2030-01-01T03:00:00.000Z"), "\(bare)")
            let wrong = try await run(["topic", "move", "coupon", "--to", "18934668000x"])
            #expect(wrong.code == 65 && wrong.err.contains("milliseconds since 1970"), "\(wrong)")
            let plain = try await run(["topic", "set", "coupon", "--merge", "none", "--json"])
            #expect(plain.out.contains(#""merge":null"#), "\(plain)")
            let shown = try await run(["topic", "show", "coupon"])
            #expect(shown.out.contains("0 subscribed"), "\(shown)")
            #expect(try await run(["topic", "list"]).out.contains("coupon  open"))
            #expect(try await run(["topic", "close", "coupon"]).code == 65, "nobody answers")
            #expect(try await run(["topic", "close", "coupon", "--yes"]).code == 0)
            let again = try await run(Self.set)
            #expect(again.code == 65 && again.err.contains("closed for good"), "\(again)")
            #expect(try await run(["topic", "show", "none"]).code == 65)
            #expect(try await run(["topic", "set", "x", "--merge", "collect"]).code == 64)
        }
    }

    @Test("people are subscribed by name and by file, cancelled and listed")
    func reminders() async throws {
        try await withServer { server, run in
            #expect(try await run(["account", "add", "shop", "--kind", "webhook"]).code == 0)
            #expect(try await run(Self.set).code == 0)
            let named = try await run(["reminder", "subscribe", "coupon", "a", "b", "a"])
            #expect(named.out == "subscribed  a\nsubscribed  b\nalready  a\n", "\(named)")
            let file = server.folder + "/people.txt"
            let people = (0..<2500).map { "p\($0)" } + ["", "  a  "]
            try people.joined(separator: "\n").write(
                toFile: file,
                atomically: true,
                encoding: .utf8
            )
            let many = try await run(["reminder", "subscribe", "coupon", "--file", file])
            #expect(many.out == "1 already, 2500 subscribed\n", "\(many)")
            let cancel = try await run(["reminder", "cancel", "coupon", "b", "nobody", "--json"])
            #expect(cancel.out == #"{"cancelled":1,"not_subscribed":1}"# + "\n", "\(cancel)")
            let list = try await run([
                "reminder", "list", "--topic", "coupon", "--state", "cancelled",
            ])
            #expect(list.out.contains("coupon  b       cancelled"), "\(list)")
            let one = try await run([
                "reminder", "list", "--account", "shop", "--to", "a", "--json",
            ])
            #expect(one.out.contains(#""state":"subscribed""#), "\(one)")
            let wrong = try await run(["reminder", "subscribe", "none", "a"])
            #expect(wrong.code == 65 && wrong.err.contains("there is no topic"), "\(wrong)")
            #expect(try await run(["reminder", "list"]).code == 64)
            let person = try await run(["people", "show", "shop", "a"])
            #expect(person.out.contains("reminder/coupon/a"), "\(person)")
        }
    }
}
