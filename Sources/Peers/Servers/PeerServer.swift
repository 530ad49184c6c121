import BelfryBench
import Foundation
import Synchronization

/// A server of somebody else, started for one benchmark on loopback and a private port, with its data in the benchmark's own folder.
package struct PeerServer: Sendable {
    package let port: Int
    package let processID: Int32

    /// Starts the server, and stops it when `work` has ended; by its process id, whatever else runs on this machine.
    ///
    /// - Throws: ``LoadFailure`` where it does not start, with the end of its log.
    package static func during<Value>(
        _ program: PeerProgram,
        port: Int,
        _ work: (PeerServer) async throws -> Value
    ) async throws -> Value {
        let process = try program.start()
        let id = process.processIdentifier
        running.withLock { _ = $0.insert(id) }
        let result: Result<Value, any Error>
        do {
            try await waitUntilReady(program, process, port)
            result = .success(try await work(PeerServer(port: port, processID: id)))
        } catch { result = .failure(error) }
        await stop(process, by: program.stopSignal)
        running.withLock { _ = $0.remove(id) }
        return try result.get()
    }

    /// Stops whatever still runs: for a benchmark that is interrupted.
    package static func stopAll() {
        for id in running.withLock({ $0 }) { kill(id, SIGKILL) }
    }

    private static let running = Mutex<Set<Int32>>([])

    /// Asks it to end, and makes it end where it has not within half a minute.
    private static func stop(_ process: Process, by signal: Int32) async {
        let patience = ContinuousClock.now + .seconds(30)
        if process.isRunning { kill(process.processIdentifier, signal) }
        while process.isRunning {
            if ContinuousClock.now > patience { kill(process.processIdentifier, SIGKILL) }
            // A cancelled benchmark waits without sleeping: its servers must not outlive it.
            try? await Task.sleep(for: .milliseconds(10))
        }
    }

    private static func waitUntilReady(_ program: PeerProgram, _ process: Process, _ port: Int)
        async throws
    {
        let deadline = ContinuousClock.now + .seconds(120)
        while true {
            // Nobody listens yet: that is what is waited for.
            if (try? program.greet(port)) != nil { return }
            guard process.isRunning, ContinuousClock.now < deadline else {
                throw LoadFailure(
                    "\(program.name) does not answer on port \(port): \(program.endOfLog)"
                )
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }
}

/// A port of 127.0.0.1 that nobody uses: one after another, so that two servers that are being started do not get the same, and below those that the system gives to
/// outgoing connections, any of which could take it before the server does.
package enum LoopbackPort {
    private static let range = 4_000..<12_000
    private static let next = Atomic(Int.random(in: range))

    /// - Throws: ``LoadFailure`` where there is none.
    package static func free() throws -> Int {
        for _ in range {
            let number = next.wrappingAdd(1, ordering: .relaxed).oldValue
            let port = range.lowerBound + number % range.count
            if isFree(port) { return port }
        }
        throw LoadFailure("there is no free port")
    }

    private static func isFree(_ port: Int) -> Bool {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        address.sin_port = in_port_t(port).bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(listener, $0, size) == 0 }
        }
    }
}
