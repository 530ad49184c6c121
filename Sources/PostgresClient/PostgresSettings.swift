package import BelfryCore

/// How connections are made and how long they are waited for.
package struct PostgresSettings: Sendable {
    /// From the first packet to the end of the log-in.
    package var connectTimeout = Duration.seconds(5)
    /// From a statement to its answer; the server gives up by itself a little before.
    package var commandTimeout = Duration.seconds(10)
    /// How long a call goes on trying while it is certain that nothing was done: a server that restarts is waited for.
    package var patience = Duration.seconds(10)
    /// How many connections at most, each with a thread.
    package var connections = 4
    /// Set on every connection, by name, such as `search_path`.
    package var parameters: [String: String] = [:]
    /// What monotonic time is read from.
    package var clock: any WallClock = SystemClock()

    package init() {}
}
