import BelfryCore
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A few connections, each with a thread of its own, that share one queue of work. Connections are made when there is work, and made again when they
/// have broken.
package final class PostgresPool: Sendable {
    private typealias Job = @Sendable (PostgresWorker) -> Void

    private let queue = JobQueue<Job>()
    private let settings: PostgresSettings
    private let ended: Mutex<(running: Int, waiters: [CheckedContinuation<Void, Never>])>

    package init(_ address: PostgresAddress, _ settings: PostgresSettings) {
        self.settings = settings
        ended = Mutex((settings.connections, []))
        for number in 0..<settings.connections {
            startThread { [self] in
                let worker = PostgresWorker(address, settings, seed: UInt64(number))
                while let job = queue.receive() { job(worker) }
                end()
            }
        }
    }

    /// Runs `work` on a connection, on its thread. Where it is certain that nothing was done, it is run again until it succeeds or patience ends.
    ///
    /// - Parameters:
    ///   - isRead: changes nothing: run again also where the answer was lost.
    ///   - again: what else a refusal says that doing it again can help with, by SQLSTATE.
    ///   - isPatient: `false`: a server that cannot be reached is not waited for.
    package func run<Value: Sendable>(
        isRead: Bool = false,
        again: Set<String> = [],
        isPatient: Bool = true,
        _ work: @escaping @Sendable (PostgresConnection) throws(PostgresFailure) -> Value
    ) async throws(PostgresFailure) -> Value {
        let deadline = settings.clock.steadyMilliseconds() + settings.patience.milliseconds
        let result: Result<Value, PostgresFailure> = await withCheckedContinuation { caller in
            let isTaken = queue.send { worker in
                let rule = PostgresWorker.Rule(
                    isRead: isRead,
                    again: again,
                    isPatient: isPatient,
                    deadline: deadline
                )
                do throws(PostgresFailure) {
                    caller.resume(returning: .success(try worker.run(rule, work)))
                } catch { caller.resume(returning: .failure(error)) }
            }
            if !isTaken {
                caller.resume(
                    returning: .failure(PostgresFailure(.closed, "the connections are closed"))
                )
            }
        }
        return try result.get()
    }

    /// Finishes what was asked, then ends the connections.
    package func close() async {
        queue.close()
        await withCheckedContinuation { continuation in
            let isOver = ended.withLock { state in
                if state.running > 0 { state.waiters.append(continuation) }
                return state.running == 0
            }
            if isOver { continuation.resume() }
        }
    }

    private func end() {
        let waiters = ended.withLock { state in
            state.running -= 1
            guard state.running == 0 else { return [CheckedContinuation<Void, Never>]() }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }
}

/// What a thread of the pool has: a connection, while there is one.
final class PostgresWorker {
    struct Rule {
        var isRead: Bool
        var again: Set<String>
        var isPatient: Bool
        /// Until when, by the monotonic clock, it is worth trying.
        var deadline: Int64
    }

    private let address: PostgresAddress
    private let settings: PostgresSettings
    private var connection: PostgresConnection?
    private var random: SplitMix64

    init(_ address: PostgresAddress, _ settings: PostgresSettings, seed: UInt64) {
        self.address = address
        self.settings = settings
        random = SplitMix64(seed: seed)
    }

    func run<Value>(
        _ rule: Rule,
        _ work: (PostgresConnection) throws(PostgresFailure) -> Value
    ) throws(PostgresFailure) -> Value {
        guard settings.clock.steadyMilliseconds() < rule.deadline else {
            throw PostgresFailure(.notConnected, "no connection was free in time")
        }
        var pause: Int64 = 5
        while true {
            do throws(PostgresFailure) {
                let connection = try connected()
                defer { if connection.isLost { self.connection = nil } }
                return try work(connection)
            } catch {
                let now = settings.clock.steadyMilliseconds()
                guard isWorthRepeating(error, rule), now + pause < rule.deadline else {
                    throw error
                }
            }
            // Not in step with those it has run into.
            usleep(UInt32(Int64.random(in: pause / 2...pause, using: &random) * 1000))
            pause = min(1000, pause * 2)
        }
    }

    private func isWorthRepeating(_ failure: PostgresFailure, _ rule: Rule) -> Bool {
        if case .refused(let state) = failure.code, rule.again.contains(state) { return true }
        if failure.code == .noAnswer { return rule.isRead }
        if failure.code == .notConnected, !rule.isPatient { return false }
        return failure.isWorthRepeating
    }

    private func connected() throws(PostgresFailure) -> PostgresConnection {
        if let connection, connection.isAlive { return connection }
        connection = nil
        let fresh = try PostgresConnection(address, settings)
        connection = fresh
        return fresh
    }
}
