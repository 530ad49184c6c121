import BelfryCore
package import NIOCore

/// One server: keeps a connection to it, makes a new one when that has ended, and does not storm a server that is down.
///
/// Nothing is sent twice by itself: whoever asked knows whether that would be safe.
package actor RedisNode {
    package nonisolated let address: RedisAddress
    private let patience: RedisPatience
    private let group: any EventLoopGroup
    private var random: SplitMix64
    private var connection: RedisConnection?
    private var connecting: Task<Result<RedisConnection, RedisFailure>, Never>?
    private var failures = 0
    private var notBefore: ContinuousClock.Instant?
    private var isClosed = false

    /// - Parameter seed: of the jitter between attempts.
    package init(
        _ address: RedisAddress,
        _ patience: RedisPatience,
        on group: any EventLoopGroup,
        seed: UInt64
    ) {
        self.address = address
        self.patience = patience
        self.group = group
        random = SplitMix64(seed: seed)
    }

    /// Asks on a live connection.
    ///
    /// - Throws: ``RedisFailure`` as ``RedisConnection/ask(_:within:)``.
    package func ask(_ commands: [RedisCommand]) async throws(RedisFailure) -> [RedisReply] {
        try await live().ask(commands)
    }

    /// Asks for what can only be said to a certain server (``RedisConnection/server``).
    ///
    /// - Parameter waits: `false`: where it could not be reached a moment ago, that is the answer until it is time to try again.
    package func ask(
        waits: Bool = true,
        _ commands: @Sendable (_ server: String) -> [RedisCommand]
    ) async throws(RedisFailure) -> [RedisReply] {
        if !waits, connection?.isOpen != true, let notBefore, notBefore > .now {
            throw RedisFailure(.notConnected, "\(address.host):\(address.port) is not there")
        }
        let connection = try await live()
        return try await connection.ask(commands(connection.server))
    }

    /// Asks who the server is now, and what its replicas have.
    package func standing() async throws(RedisFailure) -> ServerStanding {
        try await live().standing()
    }

    package func close() {
        isClosed = true
        connection?.close()
        connecting?.cancel()
    }

    private func live() async throws(RedisFailure) -> RedisConnection {
        guard !isClosed else { throw RedisFailure(.closed, "the timeline is closed") }
        if let connection, connection.isOpen { return connection }
        if let connecting { return try await connecting.value.get() }
        let pause = notBefore
        let attempt = Task { [address, patience, group] in
            await Self.connect(address, patience, on: group, notBefore: pause)
        }
        connecting = attempt
        let result = await attempt.value
        connecting = nil
        note(result)
        return try result.get()
    }

    private static func connect(
        _ address: RedisAddress,
        _ patience: RedisPatience,
        on group: any EventLoopGroup,
        notBefore: ContinuousClock.Instant?
    ) async -> Result<RedisConnection, RedisFailure> {
        if let notBefore {
            // Cancelled by the end of the node only.
            do { try await Task.sleep(until: notBefore, clock: .continuous) } catch {
                return .failure(RedisFailure(.closed, "the timeline is closed"))
            }
        }
        do throws(RedisFailure) {
            return .success(try await RedisConnection.open(address, patience, on: group))
        } catch {
            return .failure(error)
        }
    }

    /// 50 ms after the first failure, twice as long after each further one, 2 s at most; half of it by chance.
    private func note(_ result: Result<RedisConnection, RedisFailure>) {
        guard case .success(let new) = result else {
            failures += 1
            let longest = min(2000, 50 << min(failures - 1, 6))
            let pause = Int.random(in: longest / 2...longest, using: &random)
            notBefore = .now + .milliseconds(pause)
            return
        }
        if isClosed { new.close() }
        connection = new
        failures = 0
        notBefore = nil
    }
}
