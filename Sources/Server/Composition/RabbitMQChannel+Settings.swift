import BelfryChannels
import BelfryCore

extension RabbitMQChannel {
    /// The channel that the settings ask for; `nil`: none.
    ///
    /// - Throws: ``StartFailure`` where the address is none.
    convenience init?(_ settings: ServerConfiguration.RabbitMQ, clock: any WallClock) throws {
        guard !settings.url.isEmpty else { return nil }
        do throws(RabbitMQAddressProblem) {
            self.init(
                try RabbitMQAddress(settings.url),
                route: RabbitMQRoute(
                    exchange: settings.exchange,
                    routingKey: settings.routingKey
                ),
                timeout: settings.timeout,
                clock: clock
            )
        } catch {
            throw StartFailure(.misconfigured, "rabbitmq.url: \(error.description)")
        }
    }
}
