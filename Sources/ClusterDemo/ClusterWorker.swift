import BelfryClient
import BelfryPeers
import BelfryRedisProcess
import Foundation
import Synchronization

/// One `belfry serve` of the cluster, in a folder of its own.
final class ClusterWorker: Sendable {
    let name: String
    let client: APIClient
    private let program: PeerProgram
    private let process: Mutex<Process>

    /// Starts it; ``answers()`` waits until it can be used.
    ///
    /// - Parameters:
    ///   - belfry: the program.
    ///   - folder: for its data and its log; exists.
    init(_ name: String, belfry: String, folder: String, settings: [String: String]) throws {
        self.name = name
        let port = try freePort()
        client = try APIClient(address: "http://127.0.0.1:\(port)", key: nil)
        var program = PeerProgram(name, path: belfry, arguments: ["serve"], folder: folder)
        program.environment = settings.merging([
            "BELFRY_DATA_FOLDER": "\(folder)/\(name)",
            "BELFRY_HTTP_PORT": String(port),
            "BELFRY_HTTP_AUTH": "loopback-open",
            "BELFRY_HTTP_ACCESS_LOG": "false",
            "BELFRY_LOG_LEVEL": "warning",
        ]) { $1 }
        self.program = program
        process = Mutex(try program.start())
    }

    deinit { kill() }

    /// Waits until it is ready.
    ///
    /// - Throws: ``ClusterDemoFailure`` with the end of its log.
    func answers() async throws {
        for _ in 0..<1200 where isRunning {
            // It does not listen yet: that is what is waited for.
            if (try? await client.call(.get, "/readyz")) != nil { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw ClusterDemoFailure("\(name) did not start: \(program.endOfLog)")
    }

    /// Ends it without a farewell.
    func kill() {
        process.withLock { process in
            guard process.isRunning else { return }
            Foundation.kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
    }

    /// Asks it to end, and makes it end where it has not within half a minute.
    func stop() async {
        process.withLock { _ = Foundation.kill($0.processIdentifier, SIGTERM) }
        for _ in 0..<300 where isRunning {
            // A cancelled demonstration does not wait: it must leave nothing behind.
            do { try await Task.sleep(for: .milliseconds(100)) } catch { break }
        }
        kill()
    }

    /// A number of its metrics, without labels; `nil` where it does not tell now.
    func metric(_ name: String) async -> Int? {
        // Whoever watches a cluster in trouble asks again.
        guard let bytes = try? await client.send(.get, "/metrics", [], nil, .seconds(5)) else {
            return nil
        }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        let line = lines.first { $0.hasPrefix(name + " ") }
        return line.flatMap { Double($0.dropFirst(name.count + 1)) }.map { Int($0) }
    }

    private var isRunning: Bool { process.withLock { $0.isRunning } }
}

/// Why a demonstration came to no result.
package struct ClusterDemoFailure: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}
