package import BelfryCore

/// How a timeline lies in PostgreSQL, and who uses it.
package struct PostgresConfiguration: Sendable {
    /// The schema that holds all of it; made where there is none. Lower-case letters, digits and `_`.
    package var schema = "belfry"
    /// Names this process across restarts: what it held when it ended is due again as soon as it is back. Nobody else may use the name.
    package var owner: String
    /// Names the records that know the accounts of these pushes; empty: nothing is said about that. Who names others than those who came first is refused.
    package var records = ""
    /// A due push moves up one priority band each time it has waited this long (promise T7).
    package var ageing = Duration.seconds(60)
    /// How many connections at most, beside the one that listens for hints.
    package var connections = 4
    /// Whether it hears of what others put; not worth a connection where nobody waits for it.
    package var listens = true
    /// From a statement to its answer.
    package var commandTimeout = Duration.seconds(10)
    /// From the first packet to the end of the log-in.
    package var connectTimeout = Duration.seconds(5)
    /// How long a call waits for a server that cannot be reached.
    package var patience = Duration.seconds(10)

    package init(owner: String) { self.owner = owner }
}

/// Whose clock decides what is due.
package enum PostgresClock: Sendable {
    /// The server's, read within each call.
    case server
    /// A clock of the caller's, sent with each call: for tests on virtual time. Everybody who uses the schema must share it.
    case given(any WallClock)

    /// For what is waited for on this side: spans, never points of time.
    var steady: any WallClock {
        switch self {
        case .server: SystemClock()
        case .given(let clock): clock
        }
    }

    /// What a call is told; `nil`: the server reads its own.
    var given: Int64? {
        switch self {
        case .server: nil
        case .given(let clock): clock.now().milliseconds
        }
    }
}
