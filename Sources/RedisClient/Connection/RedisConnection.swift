import BelfryCore
package import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// How long things may take, and how much may be under way.
package struct RedisPatience: Sendable {
    /// From the first packet to the end of the log-in.
    package var connect = Duration.seconds(5)
    /// From a request to its answer; a server that hangs is given up then.
    package var command = Duration.seconds(10)
    /// Who must have what was promised before the caller hears of it.
    package var confirmation = Confirmation()
    /// How many commands one connection may have under way.
    package var underWay = 4096

    package init() {}
}

/// One connection, logged in. Any number of tasks may ask; answers come in order.
package final class RedisConnection: Sendable {
    private let channel: any NIOCore.Channel
    private let handler: NIOLoopBound<RedisHandler>
    private let patience: RedisPatience
    private let isOver: OverFlag
    private let known = Mutex("")

    /// Who the server was when it was last asked (``ServerStanding/identity``).
    package var server: String { known.withLock { $0 } }

    /// Whether it can still be asked.
    package var isOpen: Bool { !isOver.value.load(ordering: .acquiring) }

    private final class OverFlag: Sendable { let value = Atomic(false) }

    private init(
        _ channel: any NIOCore.Channel,
        _ handler: NIOLoopBound<RedisHandler>,
        _ patience: RedisPatience,
        _ isOver: OverFlag
    ) {
        self.channel = channel
        self.handler = handler
        self.patience = patience
        self.isOver = isOver
    }

    /// Connects and logs in.
    ///
    /// - Parameter published: takes what comes unasked, where this connection subscribes to channels.
    /// - Throws: ``RedisFailure`` with `notConnected` (the message says why), or `denied`.
    package static func open(
        _ address: RedisAddress,
        _ patience: RedisPatience,
        on group: any EventLoopGroup,
        published: (@Sendable (RedisReply) -> Void)? = nil
    ) async throws(RedisFailure) -> RedisConnection {
        let connection: RedisConnection
        do {
            connection = try await connect(address, patience, on: group, published)
        } catch {
            throw RedisFailure(.notConnected, "cannot reach \(address): \(error)")
        }
        do throws(RedisFailure) {
            try await connection.logIn(address)
        } catch {
            connection.close()
            throw error
        }
        return connection
    }

    private static func connect(
        _ address: RedisAddress,
        _ patience: RedisPatience,
        on group: any EventLoopGroup,
        _ published: (@Sendable (RedisReply) -> Void)?
    ) async throws -> RedisConnection {
        let isOver = OverFlag()
        let tls = try address.usesTLS ? context(address) : nil
        let bootstrap = ClientBootstrap(group: group)
            .connectTimeout(.milliseconds(patience.connect.milliseconds))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
        let (channel, handler) = try await bootstrap.connect(
            host: address.host,
            port: address.port
        ) { channel in
            channel.eventLoop.makeCompletedFuture {
                let handler = RedisHandler(limit: patience.underWay, published: published) {
                    isOver.value.store(true, ordering: .releasing)
                }
                if let tls {
                    // A certificate for an address names it as such; only names are sent.
                    let isNumber = (try? SocketAddress(ipAddress: address.host, port: 0)) != nil
                    let name = isNumber ? nil : address.host
                    try channel.pipeline.syncOperations.addHandler(
                        NIOSSLClientHandler(context: tls, serverHostname: name)
                    )
                }
                try channel.pipeline.syncOperations.addHandler(handler)
                return (channel, NIOLoopBound(handler, eventLoop: channel.eventLoop))
            }
        }
        return RedisConnection(channel, handler, patience, isOver)
    }

    private static func context(_ address: RedisAddress) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        if let file = address.options["ca"] { configuration.trustRoots = .file(file) }
        return try NIOSSLContext(configuration: configuration)
    }

    private func logIn(_ address: RedisAddress) async throws(RedisFailure) {
        var commands: [RedisCommand] = []
        if !address.password.isEmpty {
            commands.append(
                address.user.isEmpty
                    ? RedisCommand("AUTH", address.password)
                    : RedisCommand("AUTH", address.user, address.password)
            )
        }
        if address.database != 0 {
            commands.append(RedisCommand("SELECT", String(address.database)))
        }
        commands.append(RedisCommand("PING"))
        for reply in try await ask(commands, within: patience.connect) { _ = try reply.get() }
        _ = try await standing()
    }

    /// Asks who the server is, and what its replicas have.
    package func standing() async throws(RedisFailure) -> ServerStanding {
        let replies = try await ask(
            [RedisCommand("INFO", "server"), RedisCommand("INFO", "replication")],
            within: patience.connect
        )
        let standing = ServerStanding(server: replies[0], replication: replies[1])
        known.withLock { $0 = standing.identity }
        return standing
    }

    /// Asks, and gives one reply for each command, in order; errors of single commands are among them.
    ///
    /// - Throws: ``RedisFailure`` with `notConnected` where nothing was sent, `noAnswer`, `garbled` or `closed`.
    package func ask(_ commands: [RedisCommand], within: Duration? = nil) async throws(RedisFailure)
        -> [RedisReply]
    {
        guard !commands.isEmpty else { return [] }
        var bytes = ByteBuffer()
        bytes.reserveCapacity(commands.reduce(0) { $0 + $1.bytes.count + 16 * $1.count })
        for command in commands { command.write(to: &bytes) }
        let limit = within ?? patience.command
        let result = await withCheckedContinuation { continuation in
            let request = RedisRequest(
                bytes: bytes,
                count: commands.count,
                deadline: .now() + .milliseconds(limit.milliseconds),
                done: { continuation.resume(returning: $0) }
            )
            channel.eventLoop.execute { [handler] in handler.value.ask(request) }
        }
        return try result.get()
    }

    /// Returns when it has ended, whoever ended it.
    package func end() async {
        // How it ended is nobody's concern.
        try? await channel.closeFuture.get()
    }

    /// Asks from time to time, so that a connection that is dead without a word is noticed; returns when it is, or when cancelled.
    package func beat(every span: Duration) async {
        do {
            while !Task.isCancelled {
                try await Task.sleep(for: span)
                _ = try await ask([RedisCommand("PING")])
            }
        } catch {
            // Over: that is what was waited for.
        }
    }

    /// Ends it. Whatever waits for an answer fails with `closed`.
    package func close() {
        channel.eventLoop.execute { [handler, channel] in
            handler.value.giveUp(RedisFailure(.closed, "the connection was closed"))
            channel.close(promise: nil)
        }
    }
}
