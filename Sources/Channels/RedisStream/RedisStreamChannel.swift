package import BelfryCore
package import BelfryRedisClient
import Synchronization

/// Adds messages to streams of a Redis server or cluster; done when the server, and the replicas that were asked for, have them.
///
/// What goes to one stream is added by one script, so that a batch is one call. Delivery is at least once: where no answer came, the message is added again
/// with the same `message-id`, by which a consumer knows it.
///
/// | what happens | outcome |
/// |---|---|
/// | added, and confirmed by `replicas` | sent, with the id of the entry as the reference |
/// | no connection, no answer, no room, not enough replicas, no log-in | retry, and the stream counts as out of order |
/// | refused | retry |
package final class RedisStreamChannel: Channel {
    package var name: String { "redis-stream" }
    package var isBatching: Bool { true }

    /// A cluster may have lost the server of one stream, and no other.
    package func endpoint(of account: String) -> Endpoint {
        Endpoint(channel: name, name: route.key(of: account))
    }

    private let route: RedisStreamRoute
    private let servers: RedisServers
    /// Whether it is known who the servers are.
    private let isFound = Atomic(false)
    private let trouble = Mutex<String?>(nil)

    /// - Parameters:
    ///   - replicas: how many must have a message before it counts as sent.
    ///   - timeout: from a call to its answer.
    ///   - seed: of the jitter between attempts to connect.
    package init(
        _ address: RedisAddress,
        route: RedisStreamRoute,
        replicas: Int,
        timeout: Duration,
        seed: UInt64
    ) {
        self.route = route
        var patience = RedisPatience()
        patience.command = timeout
        patience.connect = min(patience.connect, timeout)
        patience.confirmation.replicas = replicas
        servers = RedisServers(address, patience, seed: seed)
    }

    /// What was wrong with the last call; `nil`: nothing, or nothing was sent yet.
    package var problem: String? { trouble.withLock { $0 } }

    /// Hangs up; whatever is sent afterwards is to be retried.
    package func close() async { await servers.close() }

    package func send(_ messages: [OutboundMessage]) async -> [SendOutcome] {
        do throws(RedisFailure) { try await find() } catch {
            trouble.withLock { $0 = error.message }
            return Array(repeating: outcome(error), count: messages.count)
        }
        let parts = RedisStreamCall.calls(messages, route)
        let replies = await servers.ask(parts.map(\.call))
        var outcomes = [SendOutcome](repeating: outcome(Self.garbled), count: messages.count)
        var last: String?
        for (part, reply) in zip(parts, replies) {
            do throws(RedisFailure) {
                let ids = try part.ids(reply)
                for (index, id) in zip(part.messages, ids) {
                    outcomes[index] = .sent(reference: id)
                }
            } catch {
                last = error.message
                for index in part.messages { outcomes[index] = outcome(error) }
            }
        }
        trouble.withLock { $0 = last }
        return outcomes
    }

    /// Learns who the servers are, once. Whatever goes wrong with that, nothing was added.
    private func find() async throws(RedisFailure) {
        guard !isFound.load(ordering: .acquiring) else { return }
        do throws(RedisFailure) { try await servers.learn() } catch {
            throw error.code == .noAnswer ? RedisFailure(.notConnected, error.message) : error
        }
        isFound.store(true, ordering: .releasing)
    }

    // MARK: Outcomes

    static let garbled = RedisFailure(.garbled, "the server answered something else than ids")

    private func outcome(_ failure: RedisFailure) -> SendOutcome {
        let (step, remedy) = words(failure.code)
        let cause = SendCause(
            code: "redis_stream_\(step)",
            message: failure.message,
            remedy: remedy
        )
        return switch step {
        case "closed", "refused": .retry(after: nil, cause: cause)
        default: .unreachable(after: nil, cause: cause)
        }
    }

    private func words(_ code: RedisFailure.Code) -> (step: String, remedy: String) {
        switch code {
        case .closed: ("closed", "")
        case .denied:
            (
                "login",
                "correct user and password of redis-stream.url, or let the user run scripts and XADD on \(route.key)"
            )
        case .notConnected, .loading, .clusterDown, .masterDown, .readOnly:
            ("unreachable", "check that the server runs, and redis-stream.url")
        case .noAnswer, .noReplicas:
            (
                "unconfirmed",
                "it may have been added: a consumer knows a repetition by its message-id"
            )
        case .outOfMemory, .diskFailed:
            ("full", "make room: trim or remove streams, or set redis-stream.length-max")
        default: ("refused", "see that \(route.key) is a stream, and what the server's log says")
        }
    }
}
