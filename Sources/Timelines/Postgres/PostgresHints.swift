import BelfryCore
import BelfryPostgresClient
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Hints between processes: whoever puts something that is due earlier than all before says so with NOTIFY. They only make others look sooner; one that is lost
/// costs no more than the sweep of whoever waits.
final class PostgresHints: Sendable {
    private struct State {
        var isClosed = false
        var isListening = false
        var waiters: [CheckedContinuation<Void, Never>] = []
        /// The earliest that nobody was told of yet.
        var unsaid: Timestamp?
    }

    private let address: PostgresAddress
    private let settings: PostgresSettings
    private let channel: String
    private let doorbell: Doorbell?
    private let state = Mutex(State())

    init(_ address: PostgresAddress, _ settings: PostgresSettings, channel: String) {
        self.address = address
        self.settings = settings
        self.channel = channel
        doorbell = Doorbell()
    }

    /// Tells the others, after the call that put it. A NOTIFY in that call would keep all others from committing for as long as its commit takes
    /// (PostgreSQL orders notifications under one lock); alone, it has nothing to wait for.
    func send(_ due: Timestamp, on pool: PostgresPool) {
        let isFirst = state.withLock { state in
            defer { state.unsaid = min(state.unsaid ?? due, due) }
            return state.unsaid == nil
        }
        guard isFirst else { return }
        Task { [self] in
            do throws(PostgresFailure) {
                try await pool.run(isPatient: false) { [self] connection throws(PostgresFailure) in
                    try say(on: connection)
                }
            } catch {
                // The hint is lost; the next one is the first again.
                state.withLock { $0.unsaid = nil }
            }
        }
    }

    private func say(on connection: PostgresConnection) throws(PostgresFailure) {
        let due = state.withLock { state in
            defer { state.unsaid = nil }
            return state.unsaid
        }
        guard let due else { return }
        var parameters = PostgresParameters()
        parameters.append(channel)
        parameters.append(String(due.milliseconds))
        try connection.query("SELECT hint($1, $2)", parameters)
    }

    /// Listens on a thread of its own until closed, and goes on after every failure.
    func listen(_ heard: @escaping @Sendable (Timestamp) -> Void) {
        // Without it the thread could not be ended; hints are a help that can be missed.
        guard let doorbell else { return }
        state.withLock { $0.isListening = true }
        startThread { [self] in
            while !state.withLock({ $0.isClosed }) {
                do throws(PostgresFailure) {
                    try follow(doorbell, heard)
                } catch {
                    // A server that is away for long is asked once a second.
                    doorbell.wait(milliseconds: 1000)
                }
            }
            let waiters = state.withLock { state in
                state.isListening = false
                defer { state.waiters = [] }
                return state.waiters
            }
            for waiter in waiters { waiter.resume() }
        }
    }

    private func follow(_ doorbell: Doorbell, _ heard: (Timestamp) -> Void)
        throws(PostgresFailure)
    {
        let connection = try PostgresConnection(address, settings)
        // The name was checked to hold no quotes.
        try connection.run("LISTEN \"\(channel)\"")
        // What was said before nobody heard: look at once.
        heard(.distantPast)
        while !state.withLock({ $0.isClosed }) {
            let payloads = try connection.notifications(orReadable: doorbell.readable)
            let times = payloads.compactMap { Int64($0) }.map { Timestamp(milliseconds: $0) }
            if let earliest = times.min() { heard(earliest) }
        }
    }

    func close() async {
        state.withLock { $0.isClosed = true }
        doorbell?.ring()
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if state.isListening { state.waiters.append(continuation) }
                return !state.isListening
            }
            if isOver { continuation.resume() }
        }
    }
}

/// A pipe that wakes a thread which waits for a server.
private final class Doorbell: Sendable {
    let readable: Int32
    private let writable: Int32

    init?() {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return nil }
        (readable, writable) = (ends[0], ends[1])
    }

    deinit {
        close(readable)
        close(writable)
    }

    /// Nobody takes the byte out: it rings from now on.
    func ring() {
        var byte: UInt8 = 0
        _ = write(writable, &byte, 1)
    }

    func wait(milliseconds: Int32) {
        var source = pollfd(fd: readable, events: Int16(POLLIN), revents: 0)
        _ = poll(&source, 1, milliseconds)
    }
}
