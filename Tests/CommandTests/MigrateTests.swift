import BelfryPostgresProcess
import BelfryRedisProcess
import Foundation
import Testing

@Suite("belfry migrate", .serialized)
struct MigrateTests {
    private let folder = FileManager.default.temporaryDirectory.path() + "/migrate-\(UUID())"

    @Test(
        "moves pushes from the data folder to Redis, to PostgreSQL and back; a start in between finds them"
    )
    func around() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let redis = try RedisProcess()
        defer { redis.kill() }
        try await redis.answers()
        let postgres = try await PostgresProcess()
        defer { postgres.remove() }
        var server = try await RunningServer(folder: folder)
        try await addAccount(server)
        #expect(try await bulk(server, "far", count: 300, delay: "1d").code == 0)
        try await migrate(server, "--to", redis.address, "--shards", "8")
        #expect(try await pending(server) == 300)
        #expect(try await state(server, "kind") == "redis")
        #expect(try await bulk(server, "far", count: 10, delay: "2d").out.contains("10 replaced"))
        await server.stop()
        // Nothing in its settings says where the pushes are now. What only a Redis can do holds as long as they are there.
        let keyspace = ["--timeline-alarm", "keyspace"]
        server = try await RunningServer(folder: folder, arguments: keyspace)
        #expect(try await redis.command("CONFIG", "GET", "notify-keyspace-events").contains("E"))
        #expect(try await pending(server) == 300)
        try await migrate(server, "--to", postgres.address())
        #expect(try await state(server, "kind") == "postgres")
        #expect(try await pending(server) == 300)
        try await migrate(server, "--to", "embedded")
        #expect(try await state(server, "kind") == "embedded")
        let found = try await Program.run(
            ["push", "find", "far/299"] + server.keyFile,
            environment: server.environment
        )
        #expect(found.code == 0, "\(found.err)")
        await server.stop()
        server = try await RunningServer(folder: folder, arguments: keyspace)
        #expect(try await pending(server) == 300)
        await server.stop()
    }

    @Test("refuses a place that cannot be used, and a cancel of nothing")
    func refuses() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let server = try await RunningServer(folder: folder)
        let nowhere = try await run(server, "timeline", "--to", "redis://127.0.0.1:1")
        #expect(nowhere.code == 65, "\(nowhere.err)")
        let wrong = try await run(server, "timeline", "--to", "http://cache")
        #expect(wrong.code == 65, "\(wrong.err)")
        let same = try await run(server, "timeline", "--to", "embedded")
        #expect(same.err.contains("there already"), "\(same.err)")
        let shards = try await run(server, "timeline", "--shards", "9")
        #expect(shards.err.contains("only pushes on Redis have shards"), "\(shards.err)")
        let nothing = try await run(server, "cancel")
        #expect(nothing.err.contains("nothing is being moved"), "\(nothing.err)")
        await server.stop()
    }

    @Test(
        "three servers on one Redis: the shards change under load, one move is cancelled, one server is killed; nothing is lost, early or doubled"
    )
    func together() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let redis = try RedisProcess()
        defer { redis.kill() }
        try await redis.answers()
        let postgres = try await PostgresProcess()
        defer { postgres.remove() }
        let flags = [
            "--timeline-url", redis.address, "--timeline-shards", "64", "--records-url",
            postgres.address(),
        ]
        var servers = [try await RunningServer(folder: "\(folder)/0", arguments: flags)]
        // Before the others start: accounts are read then.
        try await addAccount(servers[0])
        for number in 1..<3 {
            servers.append(
                try await RunningServer(
                    folder: "\(folder)/\(number)",
                    arguments: flags + ["--secret-key-file", "\(folder)/0/secret.key"]
                )
            )
        }
        let key = ["--key-file", "\(folder)/0/admin.key"]
        var load = Load(servers, key: key)
        // Enough that a move takes a while.
        #expect(try await bulk(servers[0], "far", count: 20_000, delay: "1d").code == 0)
        try await load.put(rounds: 3)
        // 64 -> 16
        try await config(servers[1], key, "timeline.shards=16")
        try await load.put(rounds: 3)
        try await settled(servers[2], key, shards: 16, &load)
        // 16 -> 128, thought better of
        try await config(servers[0], key, "timeline.shards=128")
        try await moving(servers[2], key)
        let cancelled = try await Program.run(
            ["migrate", "cancel"] + key,
            environment: servers[2].environment
        )
        #expect(cancelled.code == 0, "\(cancelled.err)")
        try await settled(servers[1], key, shards: 16, &load)
        // 16 -> 128, and one server less
        try await config(servers[0], key, "timeline.shards=128")
        try await load.put(rounds: 1)
        await servers[2].kill()
        load.servers = Array(servers.prefix(2))
        try await load.put(rounds: 1)
        try await settled(servers[0], key, shards: 128, &load)
        try await judge(load)
        var left: Int?
        for _ in 0..<100 where left != 20_000 { left = try await pending(servers[0]) }
        #expect(left == 20_000)
        for server in servers.prefix(2) { await server.stop() }
        // The records, in PostgreSQL, say where the pushes are.
        let found = try await Program.run(
            ["doctor", "\(folder)/0"],
            environment: [
                "BELFRY_TIMELINE_URL": redis.address, "BELFRY_RECORDS_URL": postgres.address(),
            ]
        )
        #expect(found.code == 0, "\(found.err)")
        #expect(
            found.out.contains("the pushes have been moved")
                && found.out.contains("128 shards of belfry."),
            "\(found.out)"
        )
    }

    @Test(
        "the shards are not set again while they change; what is so already is no change; a rollback sets them back"
    )
    func shards() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let redis = try RedisProcess()
        defer { redis.kill() }
        try await redis.answers()
        let server = try await RunningServer(
            folder: folder,
            arguments: ["--timeline-url", redis.address, "--timeline-shards", "8"]
        )
        func config(_ arguments: String...) async throws -> Program.Result {
            try await Program.run(
                ["config"] + arguments + server.keyFile,
                environment: server.environment
            )
        }
        try await addAccount(server)
        #expect(try await config("set", "delivery.batch=7").out.hasPrefix("revision 1\n"))
        #expect(try await config("set", "delivery.batch=7").out.hasPrefix("revision 1\n"))
        // Enough that a move takes a while.
        #expect(try await bulk(server, "far", count: 20_000, delay: "1d").code == 0)
        #expect(try await config("set", "timeline.shards=4").out.hasPrefix("revision 2\n"))
        try await moving(server, server.keyFile)
        for change in [
            ["set", "timeline.shards=2"], ["set", "timeline.shards="], ["rollback", "1"],
        ] {
            let refused = try await Program.run(
                ["config"] + change + server.keyFile,
                environment: server.environment
            )
            #expect(refused.code == 65, "\(change): \(refused.out)")
            #expect(refused.err.contains("a move is under way, to"), "\(change): \(refused.err)")
        }
        #expect(try await config("set", "timeline.shards=4").out.hasPrefix("revision 2\n"))
        try await arrived(server, shards: 4)
        let back = try await config("rollback", "1")
        #expect(back.out == "revision 3\ndelivery.batch=7\ntimeline.shards=8\n", "\(back.err)")
        try await arrived(server, shards: 8)
        #expect(try await pending(server) == 20_000)
        await server.stop()
    }

    /// Waits until all pushes lie in so many shards.
    private func arrived(_ server: RunningServer, shards: Int) async throws {
        var last = ""
        for _ in 0..<600 {
            last = try await run(server, "status", "--json").out
            if last.contains(#""to":null"#), last.contains("\"shards\":\(shards)") { return }
        }
        Issue.record("the move has not ended: \(last)")
    }

    /// Pushes that come due while everything moves.
    private struct Load {
        var servers: [RunningServer]
        let key: [String]
        private(set) var count = 0
        /// Scheduled anew, or cancelled, after they were scheduled.
        private(set) var cancelled: Set<String> = []

        init(_ servers: [RunningServer], key: [String]) {
            self.servers = servers
            self.key = key
        }

        /// Each round: 200 pushes over one server, due within half a minute; some are replaced and one is cancelled over the next.
        mutating func put(rounds: Int) async throws {
            for _ in 0..<rounds {
                let first = count
                count += 200
                try await put(first..<count, on: first / 200, seconds: 4)
                try await put(first..<first + 20, on: first / 200 + 1, seconds: 20)
                let id = "load/\(first + 7)"
                let result = try await Program.run(
                    ["push", "cancel", id] + key,
                    environment: servers[(first / 200 + 2) % servers.count].environment
                )
                #expect(result.code == 0, "\(id): \(result.err)")
                cancelled.insert(id)
            }
        }

        private func put(_ numbers: Range<Int>, on server: Int, seconds: Int) async throws {
            let lines = numbers.map { number in
                #"{"id":"load/\#(number)","account":"shop","to":"p\#(number % 97)","delay":"\#(seconds + number % 20)s","channel":"log","payload":"x"}"#
            }
            let result = try await Program.run(
                ["push", "bulk"] + key,
                input: lines.joined(separator: "\n") + "\n",
                environment: servers[server % servers.count].environment
            )
            #expect(result.code == 0, "\(result.out)\(result.err)")
        }
    }

    private struct Line: Decodable {
        var id: String
        var at: Int64
        var due: Int64
    }

    /// Everything that was not cancelled is handed over once, and not before it was due.
    private func judge(_ load: Load) async throws {
        let wanted = Set((0..<load.count).map { "load/\($0)" }).subtracting(load.cancelled)
        var lines: [Line] = []
        for _ in 0..<3000 {
            lines = try (0..<3).flatMap { try sent(by: $0) }
            if Set(lines.map(\.id)).isSuperset(of: wanted) { break }
            // Other processes send them: nothing but looking tells when.
            try await Task.sleep(for: .milliseconds(50))
        }
        let ids = Set(lines.map(\.id))
        #expect(wanted.subtracting(ids).sorted().prefix(10) == [], "lost")
        #expect(ids.subtracting(wanted).sorted().prefix(10) == [], "cancelled, and sent")
        #expect(lines.filter { $0.at < $0.due }.map(\.id) == [], "early")
        let twice = Dictionary(grouping: lines, by: \.id).filter { $0.value.count > 1 }.keys
        // What the server that was killed had sent and not settled is sent again: that is what at least once means.
        #expect(twice.count <= 5, "doubled: \(twice.sorted())")
    }

    private func sent(by server: Int) throws -> [Line] {
        let path = "\(folder)/\(server)/log-channel.ndjson"
        // Made with the first message.
        guard let data = FileManager.default.contents(atPath: path) else { return [] }
        return try data.split(separator: UInt8(ascii: "\n"))
            .map { try JSONDecoder().decode(Line.self, from: Data($0)) }
    }

    // MARK: Commands

    /// Waits until a move has begun.
    private func moving(_ server: RunningServer, _ key: [String]) async throws {
        for _ in 0..<100 {
            let result = try await Program.run(
                ["migrate", "status", "--json"] + key,
                environment: server.environment
            )
            if !result.out.contains(#""to":null"#) { return }
        }
        Issue.record("no move has begun")
    }

    /// Waits for the end of a move, with load going on.
    private func settled(
        _ server: RunningServer,
        _ key: [String],
        shards: Int,
        _ load: inout Load
    ) async throws {
        var last = ""
        for _ in 0..<90 {
            let result = try await Program.run(
                ["migrate", "status", "--json"] + key,
                environment: server.environment
            )
            last = result.out + result.err
            if last.contains(#""to":null"#), last.contains("\"shards\":\(shards)") { return }
            try await load.put(rounds: 1)
        }
        Issue.record("the move has not ended: \(last)")
    }

    private func config(_ server: RunningServer, _ key: [String], _ change: String) async throws {
        let result = try await Program.run(
            ["config", "set", change] + key,
            environment: server.environment
        )
        #expect(result.code == 0, "\(result.err)")
    }

    private func run(_ server: RunningServer, _ arguments: String...) async throws
        -> Program.Result
    {
        try await Program.run(
            ["migrate"] + arguments + server.keyFile,
            environment: server.environment
        )
    }

    private func migrate(_ server: RunningServer, _ arguments: String...) async throws {
        let result = try await Program.run(
            ["migrate", "timeline", "--wait"] + arguments + server.keyFile,
            environment: server.environment
        )
        #expect(result.code == 0, "\(result.out)\(result.err)")
    }

    private func state(_ server: RunningServer, _ member: String) async throws -> String? {
        let result = try await run(server, "status", "--json")
        let object = try JSONSerialization.jsonObject(with: Data(result.out.utf8))
        let from = (object as? [String: Any])?["from"] as? [String: Any]
        return from?[member] as? String
    }

    private func pending(_ server: RunningServer) async throws -> Int? {
        let result = try await run(server, "status", "--json")
        let object = try JSONSerialization.jsonObject(with: Data(result.out.utf8))
        return (object as? [String: Any])?["left"] as? Int
    }

    private func bulk(_ server: RunningServer, _ name: String, count: Int, delay: String)
        async throws -> Program.Result
    {
        let lines = (0..<count).map { number in
            #"{"id":"\#(name)/\#(number)","account":"shop","to":"p\#(number)","delay":"\#(delay)","channel":"log","payload":"x"}"#
        }
        return try await Program.run(
            ["push", "bulk"] + server.keyFile,
            input: lines.joined(separator: "\n") + "\n",
            environment: server.environment
        )
    }

    private func addAccount(_ server: RunningServer) async throws {
        let result = try await Program.run(
            ["account", "add", "shop", "--kind", "webhook"] + server.keyFile,
            environment: server.environment
        )
        #expect(result.code == 0, "\(result.err)")
    }
}
