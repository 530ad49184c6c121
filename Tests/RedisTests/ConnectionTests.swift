import BelfryCore
import BelfryRedisProcess
import NIOPosix
import Testing

@testable import BelfryRedis
@testable import BelfryRedisClient

@Suite("A connection to Redis")
struct ConnectionTests {
    @Test("answers many commands under way at once, each its own")
    func pipelining() async throws {
        let server = try RedisProcess()
        defer { server.kill() }
        let node = try await node(server)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<500 {
                group.addTask {
                    let words = (0..<5).map { "\(number)/\($0)" }
                    let replies = try await node.ask(words.map { RedisCommand("ECHO", $0) })
                    #expect(replies.map(\.string) == words)
                }
            }
            try await group.waitForAll()
        }
        await node.close()
    }

    @Test("lets no more under way than its limit, and still answers all")
    func bounded() async throws {
        let server = try RedisProcess()
        defer { server.kill() }
        var patience = RedisPatience()
        patience.underWay = 3
        let node = try await node(server, patience)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<50 {
                group.addTask {
                    let reply = try await node.ask([RedisCommand("ECHO", "\(number)")])[0]
                    #expect(reply.string == "\(number)")
                }
            }
            try await group.waitForAll()
        }
        await node.close()
    }

    @Test("reads every kind of reply, bytes as they are, arrays in arrays")
    func replies() async throws {
        let server = try RedisProcess()
        defer { server.kill() }
        let node = try await node(server)
        var set = RedisCommand("SET", "key")
        set.append([0, 13, 10, 255])
        let replies = try await node.ask([
            set, RedisCommand("GET", "key"), RedisCommand("GET", "none"),
            RedisCommand("DEL", "key"),
            RedisCommand("EVAL", "return {1,{'a',{}},false,'b'}", "0"), RedisCommand("NONSENSE"),
        ])
        #expect(replies[0].string == "OK")
        #expect(replies[1] == .text([0, 13, 10, 255]))
        #expect(replies[2] == .none)
        #expect(replies[3] == .integer(1))
        #expect(
            replies[4]
                == .array([
                    .integer(1), .array([.text([97]), .array([])]), .none, .text([98]),
                ])
        )
        #expect(throws: RedisFailure.self) { try replies[5].get() }
        await node.close()
    }

    @Test("gives up a server that hangs, and reaches it again when it goes on")
    func watchdog() async throws {
        let server = try RedisProcess()
        defer { server.kill() }
        var patience = RedisPatience()
        patience.command = .milliseconds(100)
        let node = try await node(server, patience)
        server.freeze()
        let error = await #expect(throws: RedisFailure.self) {
            _ = try await node.ask([RedisCommand("PING")])
        }
        #expect(error?.code == .noAnswer)
        server.thaw()
        let pong = try await node.ask([RedisCommand("PING")])[0]
        #expect(pong.string == "PONG")
        await node.close()
    }

    @Test("tells of a server that is gone, and reaches it when it is back")
    func reconnects() async throws {
        let server = try RedisProcess()
        defer { server.kill() }
        let node = try await node(server)
        server.kill()
        await #expect(throws: RedisFailure.self) { _ = try await node.ask([RedisCommand("PING")]) }
        try server.restart()
        try await reach(node)
        await node.close()
    }

    @Test("logs in as an ACL user, chooses a database, and tells of a wrong password")
    func logsIn() async throws {
        let server = try RedisProcess([
            "--user", "default", "off", "--user", "belfry", "on", ">se:cr@t", "~*", "&*", "+@all",
        ])
        defer { server.kill() }
        let address = "redis://belfry:se%3Acr%40t@127.0.0.1:\(server.port)/3"
        let node = RedisNode(
            try RedisAddress(address),
            RedisPatience(),
            on: MultiThreadedEventLoopGroup.singleton,
            seed: 1
        )
        try await reach(node)
        let info = try await node.ask([RedisCommand("CLIENT", "INFO")])[0].string ?? ""
        #expect(info.contains("user=belfry") && info.contains("db=3"))
        await node.close()
        let wrong = RedisNode(
            try RedisAddress("redis://belfry:wrong@127.0.0.1:\(server.port)"),
            RedisPatience(),
            on: MultiThreadedEventLoopGroup.singleton,
            seed: 1
        )
        let error = await #expect(throws: RedisFailure.self) {
            _ = try await wrong.ask([RedisCommand("PING")])
        }
        #expect(error?.code == .denied)
        #expect(error.map { "\($0)".contains("wrong") } != true || error?.code == .denied)
        await wrong.close()
    }

    @Test("speaks TLS to a server whose certificate it was told to trust, and to no other")
    func encrypted() async throws {
        let certificate = try await Certificate()
        let server = try RedisProcess(certificate.arguments)
        defer { server.kill() }
        let address = "rediss://127.0.0.1:\(certificate.port)"
        let trusting = RedisNode(
            try RedisAddress("\(address)?ca=\(certificate.file)"),
            RedisPatience(),
            on: MultiThreadedEventLoopGroup.singleton,
            seed: 1
        )
        try await reach(trusting)
        await trusting.close()
        let other = RedisNode(
            try RedisAddress(address),
            RedisPatience(),
            on: MultiThreadedEventLoopGroup.singleton,
            seed: 1
        )
        let error = await #expect(throws: RedisFailure.self) {
            _ = try await other.ask([RedisCommand("PING")])
        }
        #expect(
            error?.message.lowercased().contains("certificate") == true,
            "\(error?.message ?? "")"
        )
        await other.close()
    }

    @Test(
        "tells errors apart",
        arguments: [
            ("MOVED 3999 127.0.0.1:6381", .moved(slot: 3999, node: "127.0.0.1:6381")),
            ("ASK 1 h:1", .ask(slot: 1, node: "h:1")),
            ("TRYAGAIN Multiple keys request during rehashing of slot", .tryAgain),
            ("LOADING Redis is loading the dataset in memory", .loading),
            ("READONLY You can't write against a read only replica.", .readOnly),
            ("NOSCRIPT No matching script.", .noScript),
            ("CLUSTERDOWN Hash slot not served", .clusterDown),
            ("OOM command not allowed when used memory > 'maxmemory'.", .outOfMemory),
            ("MISCONF Redis is configured to save RDB snapshots", .diskFailed),
            ("NOREPLICAS Not enough good replicas to write.", .noReplicas),
            ("WRONGPASS invalid username-password pair", .denied),
            ("ERR anything", .refused),
        ] as [(String, RedisFailure.Code)]
    )
    func errors(line: String, code: RedisFailure.Code) {
        #expect(RedisFailure(line: line).code == code)
    }

    @Test("reads addresses, and never shows a password")
    func addresses() throws {
        let address = try RedisAddress("rediss://me:p%40ss@[::1]:7000/2?ca=/etc/ca.pem&shards=16")
        #expect(address.host == "::1" && address.port == 7000 && address.database == 2)
        #expect(address.user == "me" && address.password == "p@ss" && address.usesTLS)
        #expect(address.options == ["ca": "/etc/ca.pem", "shards": "16"])
        #expect("\(address)" == "rediss://me@::1:7000/2")
        #expect(try RedisAddress("redis://:only@host").password == "only")
        let watched = try RedisAddress(
            "redis+sentinel://me:p@one,[::1]:7001/shop/2?sentinel-password=s"
        )
        #expect(watched.sentinels.map(\.description) == ["one:26379", "::1:7001"])
        #expect(watched.primaryName == "shop" && watched.database == 2 && watched.password == "p")
        #expect("\(watched)" == "redis+sentinel://me@one:26379,::1:7001/shop/2")
        let sentinel = watched.address(of: watched.sentinels[1])
        #expect(sentinel.port == 7001 && sentinel.password == "s" && sentinel.database == 0)
        for wrong in [
            "http://x", "redis://", "redis://h:0", "redis://h/x", "redis://a:%zz@h",
            "redis+sentinel://h:1", "redis+sentinel://h:1/", "redis+sentinel://h:1,/shop",
        ] {
            #expect(throws: TimelineError.self) { try RedisAddress(wrong) }
        }
    }

    @Test("asks for what must be confirmed, and believes nothing else")
    func confirmation() {
        var confirmation = Confirmation()
        #expect(confirmation.command == nil)
        #expect(confirmation.problem(nil) == nil)
        confirmation.replicas = 2
        #expect(confirmation.command?.count == 3)
        #expect(confirmation.problem(.integer(2)) == nil)
        #expect(confirmation.problem(.integer(1))?.hasPrefix("1 of 2 replicas") == true)
        confirmation.onDisk = true
        #expect(confirmation.command?.count == 4)
        #expect(confirmation.problem(.array([.integer(1), .integer(2)])) == nil)
        for bad: RedisReply? in [
            .array([.integer(0), .integer(2)]), .array([.integer(1), .integer(1)]), .integer(2),
            nil,
        ] {
            #expect(confirmation.problem(bad) != nil)
        }
    }

    @Test("refuses to wait for files of a server that cannot tell")
    func confirmationOnDisk() async throws {
        let server = try RedisProcess()
        defer { server.kill() }
        try await server.answers()
        var configuration = RedisConfiguration(owner: "test")
        configuration.confirmation.onDisk = true
        guard try await !server.knows("WAITAOF") else {
            // Redis 7.2 or newer: `DiskConfirmationTests` see it asked.
            let timeline = try await RedisTimeline.open(
                RedisAddress(server.address),
                configuration: configuration,
                seed: 1
            )
            return await timeline.close()
        }
        let refusal = await #expect(throws: TimelineError.self) {
            try await RedisTimeline.open(
                RedisAddress(server.address),
                configuration: configuration,
                seed: 1
            )
        }
        #expect(refusal?.code == .invalid)
        #expect(refusal?.message.contains("WAITAOF, which Redis has from 7.2 on") == true)
    }

    @Test("says which part of the address is wrong, and what to do, where no waiting helps")
    func misfits() async throws {
        let server = try RedisProcess()
        defer { server.kill() }
        try await server.answers()
        let place = "127.0.0.1:\(server.port)"
        #expect(try await refusal("redis://\(place)/99").contains("has no database 99"))
        #expect(
            try await refusal("redis://:geheim@\(place)").contains("wants no password"),
            "an address with a password that nobody asks for"
        )
        try await server.command("ACL", "SETUSER", "reader", "on", ">geheim", "+ping", "+info")
        try await server.command("CONFIG", "SET", "requirepass", "geheim")
        #expect(try await refusal("redis://\(place)").contains("the address has no password"))
        let wrong = try await refusal("redis://:offen@\(place)")
        #expect(wrong.contains("another password") && !wrong.contains("offen"))
        let may = try await refusal("redis://reader:geheim@\(place)")
        #expect(may.contains("the user reader may not do what pushes need"))
        let replica = try RedisProcess(["--replicaof", "127.0.0.1", "\(server.port)"])
        defer { replica.kill() }
        try await replica.answers()
        let words = try await refusal(replica.address)
        #expect(words.contains("is a replica, of 127.0.0.1:\(server.port)"), "\(words)")
        #expect(words.contains("name the primary"))
    }

    /// Why a timeline at an address is not opened, as a matter of settings.
    private func refusal(_ address: String) async throws -> String {
        let address = try RedisAddress(address)
        let opened = await #expect(throws: TimelineError.self) {
            try await RedisTimeline.open(
                address,
                configuration: RedisConfiguration(owner: "test"),
                seed: 1
            )
        }
        let audited = await #expect(throws: TimelineError.self) {
            _ = try await RedisTimeline.audit(of: address)
        }
        let error = try #require(opened)
        #expect(error.code == .invalid && audited?.message == error.message, "\(error)")
        return error.message
    }

    @Test("finds the slot of a key as the servers do")
    func slots() async throws {
        #expect(HashSlot.of("123456789") == 12739)
        #expect(HashSlot.of("{user1000}.following") == HashSlot.of("{user1000}.followers"))
        #expect(HashSlot.of("foo{}{bar}") != HashSlot.of("bar"))
    }

    private func node(_ server: RedisProcess, _ patience: RedisPatience = RedisPatience())
        async throws -> RedisNode
    {
        let node = RedisNode(
            try RedisAddress(server.address),
            patience,
            on: MultiThreadedEventLoopGroup.singleton,
            seed: 1
        )
        try await reach(node)
        return node
    }

    /// A server needs its time to start; only trying tells when it is there.
    private func reach(_ node: RedisNode) async throws {
        for _ in 0..<100 {
            do throws(RedisFailure) {
                _ = try await node.ask([RedisCommand("PING")])
                return
            } catch {
                #expect(error.code == .notConnected || error.code == .noAnswer, "\(error)")
            }
        }
        Issue.record("the server never answered")
    }
}
