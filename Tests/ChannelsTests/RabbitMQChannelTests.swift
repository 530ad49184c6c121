import BelfryChannels
import BelfryCore
import BelfryRabbitMQProcess
import BelfryRedisProcess
import BelfrySimulation
import BelfryTestSupport
import Testing

/// Against a real broker: one for all, as it takes seconds to start.
@Suite("The channel to RabbitMQ", .serialized)
struct RabbitMQChannelTests {
    private static let shared = Task {
        let broker = try RabbitMQProcess()
        atExit { broker.remove() }
        try await broker.answers()
        return broker
    }

    @Test(
        "hands over persistent messages, each with its id and who it is for, and knows them confirmed"
    )
    func handsOver() async throws {
        let broker = try await Self.shared.value
        let queue = try RabbitMQQueue(broker, "orders")
        try queue.declare()
        let channel = try channel(broker, key: "orders")
        let outcomes = await channel.send((0..<1500).map { message($0) })
        #expect(outcomes.count == 1500)
        #expect(outcomes.allSatisfy { if case .sent(.some) = $0 { true } else { false } })
        let got = try queue.take()
        #expect(got.map(\.body) == (0..<1500).map { #"{"n":\#($0)}"# })
        #expect(Set(got.map(\.id)).count == 1500)
        let first = try #require(got.first)
        #expect(first.isPersistent)
        #expect(outcomes.first == .sent(reference: first.id))
        #expect(
            first.headers == [
                "belfry-id": "push/0", "belfry-account": "shop", "belfry-person": "anna",
                "belfry-asked": "1000", "belfry-due": "2000", "belfry-attempt": "3",
            ]
        )
        await channel.close()
    }

    @Test("puts the account into the routing key, and collected bodies into one array")
    func routes() async throws {
        let broker = try await Self.shared.value
        let queue = try RabbitMQQueue(broker, "to.shop")
        try queue.declare()
        let channel = try channel(broker, key: "to.{account}")
        var merged = message(2)
        merged.collected = [Array("1".utf8)]
        let outcomes = await channel.send([merged])
        #expect(outcomes == [.sent(reference: merged.wireID)])
        #expect(try queue.take().map(\.body) == [#"[1,{"n":2}]"#])
        await channel.close()
    }

    @Test("keeps what no queue takes, says what to do, and hands it over once there is a queue")
    func unroutable() async throws {
        let broker = try await Self.shared.value
        let channel = try channel(broker, key: "later")
        let outcomes = await channel.send([message(0), message(1)])
        for outcome in outcomes {
            let cause = try cause(outcome)
            #expect(cause.code == "rabbitmq_unroutable")
            #expect(cause.message.contains("312 NO_ROUTE"))
            #expect(cause.remedy.contains("declare the queue"))
        }
        let queue = try RabbitMQQueue(broker, "later")
        try queue.declare()
        _ = await channel.send([message(0), message(1)])
        #expect(try queue.take().count == 2)
        await channel.close()
    }

    @Test("tells what the broker closes a channel for, and goes on with a new one")
    func closedChannel() async throws {
        let broker = try await Self.shared.value
        let channel = try channel(broker, exchange: "nowhere", key: "orders")
        for _ in 0..<2 {
            let outcomes = await channel.send([message(0)])
            let cause = try cause(outcomes[0])
            #expect(cause.code == "rabbitmq_unconfirmed")
            #expect(cause.message.contains("404 NOT_FOUND - no exchange 'nowhere'"))
        }
        await channel.close()
    }

    @Test("says that the login is wrong, without the password")
    func login() async throws {
        let broker = try await Self.shared.value
        let channel = RabbitMQChannel(
            try RabbitMQAddress("amqp://guest:geheim@127.0.0.1:\(broker.port)"),
            route: RabbitMQRoute(exchange: "", routingKey: "orders"),
            timeout: .seconds(60),
            clock: ManualClock()
        )
        let outcomes = await channel.send([message(0)])
        let cause = try cause(outcomes[0])
        #expect(cause.code == "rabbitmq_login")
        #expect(cause.message.contains("ACCESS_REFUSED"), "\(cause.message)")
        #expect(!"\(cause)".contains("geheim"))
        await channel.close()
    }

    @Test("speaks TLS to a broker that proves who it is, and to no other")
    func speaksTLS() async throws {
        let certificate = try await Certificate()
        let broker = try RabbitMQProcess(certificate)
        defer { broker.remove() }
        try await broker.answers()
        let queue = try RabbitMQQueue(broker, "orders")
        try queue.declare()
        let place = "amqps://guest:guest@localhost:\(certificate.port)"
        let outcomes = try await send("\(place)?cacertfile=\(certificate.file)")
        #expect(try queue.take().map(\.id) == [message(0).wireID])
        #expect(outcomes == [.sent(reference: message(0).wireID)])
        let untrusted = try cause(try await send(place)[0])
        #expect(untrusted.code == "rabbitmq_tls", "\(untrusted)")
        #expect(untrusted.remedy.contains("cacertfile"))
        let nameless = try cause(
            try await send(
                "\(place.replacing("localhost", with: "127.0.0.1"))?cacertfile=\(certificate.file)"
            )[0]
        )
        #expect(nameless.code == "rabbitmq_tls", "\(nameless)")
        #expect(try cause(try await send("\(place)?cacertfile=/none")[0]).code == "rabbitmq_tls")
        #expect(try await send("\(place)?verify=verify_none") == outcomes)
        let plain = place.replacing("\(certificate.port)", with: "\(broker.port)")
        #expect(try cause(try await send("\(plain)?verify=verify_none")[0]).code == "rabbitmq_tls")
    }

    /// Sends one message to a broker at an address, once.
    private func send(_ address: String) async throws -> [SendOutcome] {
        let channel = RabbitMQChannel(
            try RabbitMQAddress(address),
            route: RabbitMQRoute(exchange: "", routingKey: "orders"),
            timeout: .seconds(60),
            clock: ManualClock()
        )
        let outcomes = await channel.send([message(0)])
        await channel.close()
        return outcomes
    }

    @Test("gives a broker up that does not answer, and loses nothing when it does again")
    func frozen() async throws {
        let broker = try RabbitMQProcess()
        defer { broker.remove() }
        try await broker.answers()
        let queue = try RabbitMQQueue(broker, "orders")
        try queue.declare()
        let channel = try channel(broker, key: "orders", timeout: .seconds(1))
        try await sendUntilConfirmed(channel, [message(0)])
        #expect(channel.problem == nil)
        broker.freeze()
        // More than the sockets of both sides hold: publishing itself stands still.
        let bulky = (1..<200).map { message($0, padding: 60_000) }
        let outcomes = await channel.send(bulky)
        #expect(outcomes.allSatisfy { if case .unreachable = $0 { true } else { false } })
        #expect(channel.problem != nil)
        broker.thaw()
        try await sendUntilConfirmed(channel, bulky)
        #expect(Set(try queue.take().map(\.id)).count == 200)
        await channel.close()
    }

    @Test("loses nothing of a broker that is killed again and again under load")
    func killed() async throws {
        let broker = try RabbitMQProcess()
        defer { broker.remove() }
        try await broker.answers()
        try RabbitMQQueue(broker, "orders").declare()
        let channel = try channel(broker, key: "orders", timeout: .seconds(30))
        for round in 0..<2 {
            let messages = (0..<3000).map { message(round * 3000 + $0) }
            async let sent: Void = sendUntilConfirmed(channel, messages)
            broker.kill()
            try broker.restart()
            try await sent
        }
        try await broker.answers()
        let got = try RabbitMQQueue(broker, "orders").take()
        #expect(Set(got.map(\.id)).count == 6000)
        await channel.close()
    }

    /// Sends what is not confirmed again, as a dispatcher does.
    private func sendUntilConfirmed(_ channel: RabbitMQChannel, _ messages: [OutboundMessage])
        async throws
    {
        var left = messages
        for _ in 0..<2400 {
            let outcomes = await channel.send(left)
            left = zip(left, outcomes)
                .filter { if case .sent = $0.1 { false } else { true } }.map(\.0)
            if left.isEmpty { return }
            // The broker is another process: only asking tells when it is there.
            try await Task.sleep(for: .milliseconds(50))
        }
        Issue.record("\(left.count) were never confirmed")
    }

    private func channel(
        _ broker: RabbitMQProcess,
        exchange: String = "",
        key: String,
        timeout: Duration = .seconds(60)
    ) throws -> RabbitMQChannel {
        RabbitMQChannel(
            try RabbitMQAddress(broker.address),
            route: RabbitMQRoute(exchange: exchange, routingKey: key),
            timeout: timeout,
            clock: ManualClock()
        )
    }

    private func message(_ number: Int, padding: Int = 0) -> OutboundMessage {
        let blanks = String(repeating: " ", count: padding)
        return OutboundMessage(
            id: PushID("push/\(number)"),
            recipient: Recipient(account: "shop", person: "anna"),
            body: Array(#"{"n":\#(number)}\#(blanks)"#.utf8),
            due: Timestamp(milliseconds: 2000),
            asked: Timestamp(milliseconds: 1000),
            attempt: 3
        )
    }

    private func cause(_ outcome: SendOutcome) throws -> SendCause {
        switch outcome {
        case .retry(nil, let cause):
            let ofMessages = ["rabbitmq_nack", "rabbitmq_unroutable", "rabbitmq_closed"]
            #expect(ofMessages.contains(cause.code))
            return cause
        case .unreachable(nil, let cause): return cause
        default: throw Unexpected(outcome: outcome)
        }
    }

    private struct Unexpected: Error {
        let outcome: SendOutcome
    }
}

@Suite("The address of a RabbitMQ broker")
struct RabbitMQAddressTests {
    @Test("is read whole, escapes and all, and shown without its password")
    func read() throws {
        let address = try RabbitMQAddress("amqp://shop:a%40b@mq.example:5673/orders")
        #expect(address.host == "mq.example")
        #expect(address.port == 5673)
        #expect(address.user == "shop")
        #expect(address.virtualHost == "orders")
        #expect("\(address)" == "amqp://shop@mq.example:5673/orders")
        #expect(try RabbitMQAddress("amqp://localhost").port == 5672)
        #expect(address.tls == nil)
        #expect(try RabbitMQAddress("amqp://localhost").virtualHost == "/")
        #expect(try RabbitMQAddress("amqp://localhost/").virtualHost == "")
        #expect(try RabbitMQAddress("amqp://localhost/%2f").virtualHost == "/")
    }

    @Test("says how the broker proves who it is, and is strict unless told otherwise")
    func readTLS() throws {
        let usual = try RabbitMQAddress("amqps://shop:geheim@mq.example/orders")
        #expect(usual.port == 5671)
        #expect(usual.tls?.verifies == true)
        #expect(usual.tls?.authorities == nil)
        #expect("\(usual)" == "amqps://shop@mq.example:5671/orders")
        let told = try RabbitMQAddress(
            "amqps://mq.example?cacertfile=/ca.pem&certfile=/me.pem&keyfile=/me.key&verify=verify_none"
        )
        #expect(told.tls?.authorities == "/ca.pem")
        #expect(told.tls?.certificate == "/me.pem" && told.tls?.key == "/me.key")
        #expect(told.tls?.verifies == false)
    }

    @Test(
        "says what is allowed",
        arguments: [
            "", "http://localhost", "amqp://h:0", "amqp://h:x", "amqp://a b",
            "amqp://h?cacertfile=/x", "amqps://h?verify=maybe", "amqps://h?certfile=/x",
            "amqps://h?heartbeat=5", "amqps://h?verify",
        ]
    )
    func refused(text: String) {
        #expect(throws: RabbitMQAddressProblem.self) { try RabbitMQAddress(text) }
    }
}
