package import BelfryCore

/// When messages are kept from an endpoint that is out of order.
package struct CircuitPolicy: Sendable, Hashable {
    /// So many failures in a row open its circuit; 0: it never opens.
    package var failures = 5
    /// How long no message goes there then, half of it drawn; doubles, up to ``longest``, with each probe that fails.
    package var coolDown = Duration.seconds(5)
    package var longest = Duration.minutes(1)

    package init() {}
}

/// A circuit that is or was open.
package struct CircuitState: Sendable, Hashable {
    package var endpoint: Endpoint
    /// How often it has opened since the start.
    package var openings: Int
    /// `nil`: it is closed again.
    package var open: Open?

    package struct Open: Sendable, Hashable {
        /// Since when nothing is sent there.
        package var since: Timestamp
        /// What the last message met.
        package var cause: SendCause
        /// No message goes there before this; the first after it is the probe.
        package var until: Timestamp

        package init(since: Timestamp, cause: SendCause, until: Timestamp) {
            self.since = since
            self.cause = cause
            self.until = until
        }
    }

    package init(endpoint: Endpoint, openings: Int, open: Open? = nil) {
        self.endpoint = endpoint
        self.openings = openings
        self.open = open
    }
}
