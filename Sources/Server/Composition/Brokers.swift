import BelfryChannels
import BelfryCore
import BelfryRedisClient

/// The brokers that messages are handed to, as far as they are set up. What one of them keeps from going out is tried again: so none of them makes the
/// server unready.
struct Brokers: Sendable {
    let rabbitmq: RabbitMQChannel?
    let redis: RedisStreamChannel?

    /// - Throws: ``StartFailure`` where an address is none.
    init(_ configuration: ServerConfiguration, clock: any WallClock, seed: UInt64) throws {
        rabbitmq = try RabbitMQChannel(configuration.rabbitmq, clock: clock)
        redis = try RedisStreamChannel(configuration.redisStream, seed: seed)
    }

    var channels: [any Channel] {
        (rabbitmq.map { [$0] } ?? []) + (redis.map { [$0] } ?? [])
    }

    /// Why nothing can go out over a channel; `nil`: it is set up, or is none of these.
    func problem(with channel: String) -> String? {
        switch channel {
        case "rabbitmq" where rabbitmq == nil:
            "is not set up on this server: rabbitmq.url is empty"
        case "redis-stream" where redis == nil:
            "is not set up on this server: redis-stream.url is empty"
        default: nil
        }
    }

    /// How the last message fared, for each that is set up.
    var checks: [Check] {
        let rabbitmq = rabbitmq.map { Check("rabbitmq", problem: $0.problem, isVital: false) }
        let redis = redis.map { Check("redis-stream", problem: $0.problem, isVital: false) }
        return [rabbitmq, redis].compactMap { $0 }
    }

    func close() async {
        await rabbitmq?.close()
        await redis?.close()
    }
}

extension RedisStreamChannel {
    /// The channel that the settings ask for; `nil`: none.
    ///
    /// - Throws: ``StartFailure`` where the address is none.
    fileprivate convenience init?(_ settings: ServerConfiguration.RedisStream, seed: UInt64) throws
    {
        guard !settings.url.isEmpty else { return nil }
        do throws(TimelineError) {
            self.init(
                try RedisAddress(settings.url),
                route: RedisStreamRoute(key: settings.key, lengthMax: settings.lengthMax),
                replicas: settings.replicas,
                timeout: settings.timeout,
                seed: seed
            )
        } catch {
            throw StartFailure(.misconfigured, "redis-stream.url: \(error.message)")
        }
    }
}
