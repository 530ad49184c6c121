import BelfryChannels
import BelfryCore
import BelfryRedisClient
import BelfryRedisProcess
import NIOPosix
import Testing

/// Against real servers.
@Suite("The channel to Redis streams", .serialized)
struct RedisStreamChannelTests {
    @Test("adds entries in order, each with its id and who it is for, one stream for each account")
    func adds() async throws {
        let server = try await ready()
        defer { server.kill() }
        let channel = try channel(server.address, key: "orders.{account}")
        let outcomes = await channel.send((0..<600).map { message($0) } + [message(0, "bakery")])
        let entries = try await entries(server, "orders.shop")
        #expect(entries.map { $0["body"] } == (0..<600).map { #"{"n":\#($0)}"# })
        #expect(Set(entries.map { $0["message-id"] }).count == 600)
        #expect(outcomes.prefix(600) == entries.map { .sent(reference: $0["entry"]) }[...])
        #expect(
            entries[7].filter { !["entry", "message-id"].contains($0.key) } == [
                "belfry-id": "push/7", "belfry-account": "shop", "belfry-person": "anna",
                "belfry-asked": "1000", "belfry-due": "2000", "belfry-attempt": "3",
                "body": #"{"n":7}"#,
            ]
        )
        #expect(try await self.entries(server, "orders.bakery").count == 1)
        #expect(channel.problem == nil)
        await channel.close()
    }

    @Test("keeps about as many entries as it is told")
    func trims() async throws {
        let server = try await ready()
        defer { server.kill() }
        let channel = try channel(server.address, lengthMax: 1000)
        for part in 0..<10 { _ = await channel.send((0..<500).map { message(part * 500 + $0) }) }
        let entries = try await entries(server, "belfry")
        #expect((1000...1200).contains(entries.count))
        #expect(entries.last?["body"] == #"{"n":4999}"#)
        await channel.close()
    }

    @Test(
        "loses nothing of a server that is killed again and again, and tells what is wrong meanwhile"
    )
    func killed() async throws {
        let server = try await ready()
        defer { server.kill() }
        let channel = try channel(server.address)
        var sent = 0
        for round in 0..<3 {
            try await sendUntilAdded(channel, [message(sent)])
            sent += 1
            server.kill()
            let outcomes = await channel.send([message(sent)])
            let code = try cause(outcomes[0]).code
            #expect(["redis_stream_unreachable", "redis_stream_unconfirmed"].contains(code))
            #expect(channel.problem != nil)
            try server.restart()
            let messages = (sent..<(round + 1) * 1000).map { message($0) }
            try await sendUntilAdded(channel, messages)
            sent += messages.count
        }
        #expect(channel.problem == nil)
        let ids = try await entries(server, "belfry").map { $0["message-id"] }
        #expect(Set(ids).count == 3000)
        await channel.close()
    }

    @Test("gives a server up that does not answer, and goes on when it does again")
    func frozen() async throws {
        let server = try await ready()
        defer { server.kill() }
        let channel = try channel(server.address, timeout: .seconds(1))
        try await sendUntilAdded(channel, [message(0)])
        server.freeze()
        let outcomes = await channel.send([message(1)])
        #expect(try cause(outcomes[0]).code == "redis_stream_unconfirmed")
        server.thaw()
        try await sendUntilAdded(channel, [message(1)])
        let ids = try await entries(server, "belfry").map { $0["message-id"] }
        #expect(Set(ids).count == 2)
        await channel.close()
    }

    @Test("says what is wrong: no stream, no room, no replica, the wrong password")
    func troubles() async throws {
        let server = try await ready()
        defer { server.kill() }
        try await server.command("SET", "text", "x")
        #expect(try await trouble(server.address, key: "text") == "redis_stream_refused")
        #expect(try await trouble(server.address, replicas: 1) == "redis_stream_unconfirmed")
        try await server.command("CONFIG", "SET", "maxmemory", "1")
        #expect(try await trouble(server.address) == "redis_stream_full")
        try await server.command("CONFIG", "SET", "requirepass", "another")
        let wrong = "redis://:geheim@127.0.0.1:\(server.port)"
        let channel = try channel(wrong)
        let outcomes = await channel.send([message(0)])
        #expect(try cause(outcomes[0]).code == "redis_stream_login")
        #expect(!"\(outcomes)".contains("geheim"))
        await channel.close()
    }

    @Test("needs no more rights than it says, and speaks TLS to who proves to be the server")
    func rights() async throws {
        let certificate = try await Certificate()
        let server = try RedisProcess(
            certificate.arguments + [
                "--user", "default", "off", "--user", "belfry", "on", ">se:cr@t", "~belfry",
                "-@all", "+evalsha", "+script|load", "+xadd", "+ping", "+info", "+cluster|slots",
            ]
        )
        defer { server.kill() }
        let place = "rediss://belfry:se%3Acr%40t@127.0.0.1:\(certificate.port)"
        let trusting = try channel("\(place)?ca=\(certificate.file)")
        try await sendUntilAdded(trusting, [message(0), message(1)])
        await trusting.close()
        #expect(try await trouble(place) == "redis_stream_unreachable")
    }

    @Test(
        "finds the server of each stream in a cluster, and goes on at a replica when it is killed"
    )
    func cluster() async throws {
        let cluster = try await RedisClusterProcess(nodeTimeout: 1000)
        defer { for server in cluster.servers { server.remove() } }
        let others = cluster.servers.dropFirst().map { "127.0.0.1:\($0.port)" }
        let address = "\(cluster.address)?seeds=\(others.joined(separator: ","))"
        let channel = try channel(address, key: "{account}")
        let accounts = ["shop", "bakery", "cinema", "market", "museum"]
        try await sendUntilAdded(channel, accounts.map { message(0, $0) })
        try await cluster.primary()?.kill()
        try await sendUntilAdded(channel, accounts.map { message(1, $0) })
        await channel.close()
    }

    // MARK: Tools

    private func ready() async throws -> RedisProcess {
        let server = try RedisProcess()
        try await server.answers()
        return server
    }

    private func channel(
        _ address: String,
        key: String = "belfry",
        lengthMax: Int = 0,
        replicas: Int = 0,
        timeout: Duration = .seconds(20)
    ) throws -> RedisStreamChannel {
        RedisStreamChannel(
            try RedisAddress(address),
            route: RedisStreamRoute(key: key, lengthMax: lengthMax),
            replicas: replicas,
            timeout: timeout,
            seed: 1
        )
    }

    /// The code of what goes wrong there.
    private func trouble(_ address: String, key: String = "belfry", replicas: Int = 0)
        async throws -> String
    {
        let channel = try channel(address, key: key, replicas: replicas)
        let outcomes = await channel.send([message(0)])
        await channel.close()
        return try cause(outcomes[0]).code
    }

    /// Every entry of a stream: its fields, and its id as `entry`.
    private func entries(_ server: RedisProcess, _ key: String) async throws -> [[String: String]] {
        let node = RedisNode(
            try RedisAddress(server.address),
            RedisPatience(),
            on: MultiThreadedEventLoopGroup.singleton,
            seed: 1
        )
        let reply = try await node.ask([RedisCommand("XRANGE", key, "-", "+")])[0]
        await node.close()
        return (try reply.get().elements ?? []).map { entry in
            let parts = entry.elements ?? []
            let words = (parts[1].elements ?? []).compactMap(\.string)
            var fields = ["entry": parts[0].string ?? ""]
            for index in stride(from: 0, to: words.count, by: 2) {
                fields[words[index]] = words[index + 1]
            }
            return fields
        }
    }

    /// Sends what was not added again, as a dispatcher does.
    private func sendUntilAdded(_ channel: RedisStreamChannel, _ messages: [OutboundMessage])
        async throws
    {
        var left = messages
        for _ in 0..<600 {
            let outcomes = await channel.send(left)
            left = zip(left, outcomes)
                .filter { if case .sent = $0.1 { false } else { true } }.map(\.0)
            if left.isEmpty { return }
            // The server is another process: only asking tells when it is there.
            try await Task.sleep(for: .milliseconds(50))
        }
        Issue.record("\(left.count) were never added")
    }

    private func message(_ number: Int, _ account: String = "shop") -> OutboundMessage {
        OutboundMessage(
            id: PushID("push/\(number)"),
            recipient: Recipient(account: account, person: "anna"),
            body: Array(#"{"n":\#(number)}"#.utf8),
            due: Timestamp(milliseconds: 2000),
            asked: Timestamp(milliseconds: 1000),
            attempt: 3
        )
    }

    private func cause(_ outcome: SendOutcome) throws -> SendCause {
        switch outcome {
        case .retry(nil, let cause):
            #expect(["redis_stream_refused", "redis_stream_closed"].contains(cause.code))
            return cause
        case .unreachable(nil, let cause): return cause
        default: throw Unexpected(outcome: outcome)
        }
    }

    private struct Unexpected: Error {
        let outcome: SendOutcome
    }
}
