import BelfryPeers
package import BelfryRedisProcess
import Foundation
import Synchronization

/// A RabbitMQ broker of the test's own: on loopback, a port that nobody uses and a temporary folder; stopped by its process id when the test lets go
/// of it.
package final class RabbitMQProcess: Sendable {
    package let port: Int
    private let folder: String
    private let program: PeerProgram
    private let mapper: Mutex<Process>
    private let broker: Mutex<Process>

    /// Starts one; it takes seconds until it answers.
    ///
    /// - Parameter certificate: how it proves who it is, on the port that the certificate names; besides, it listens without TLS.
    package init(_ certificate: Certificate? = nil) throws {
        let folder = NSTemporaryDirectory() + "belfry-rabbitmq-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        self.folder = folder
        port = try LoopbackPort.free()
        let mapperPort = try LoopbackPort.free()
        mapper = Mutex(try PeerProgram.portMapper(port: mapperPort, folder: folder).start())
        program = try PeerProgram.rabbitMQ(
            port: port,
            mapper: mapperPort,
            folder: folder,
            settings: certificate.map(Self.settings) ?? []
        )
        broker = Mutex(try program.start())
    }

    deinit { remove() }

    private static func settings(_ certificate: Certificate) -> [String] {
        [
            "listeners.ssl.1 = 127.0.0.1:\(certificate.port)",
            "ssl_options.cacertfile = \(certificate.file)",
            "ssl_options.certfile = \(certificate.file)",
            "ssl_options.keyfile = \(certificate.keyFile)",
            "ssl_options.verify = verify_none",
        ]
    }

    package var address: String { "amqp://guest:guest@127.0.0.1:\(port)" }

    /// Ends it without a farewell.
    package func kill() { broker.withLock { Self.kill($0) } }

    /// Starts it again with what lies in its folder.
    package func restart() throws { try broker.withLock { $0 = try program.start() } }

    /// Stops it where it stands: connections stay, nobody answers.
    package func freeze() { signal(SIGSTOP) }

    package func thaw() { signal(SIGCONT) }

    /// Ends it for good.
    package func remove() {
        kill()
        mapper.withLock { Self.kill($0) }
        // A test's leavings, in a temporary folder.
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Waits until it takes connections.
    package func answers() async throws {
        for _ in 0..<2400 {
            if (try? program.greet(port)) != nil { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw BrokerSilent(log: program.endOfLog)
    }

    private func signal(_ number: CInt) {
        broker.withLock { _ = Foundation.kill($0.processIdentifier, number) }
    }

    private static func kill(_ process: Process) {
        guard process.isRunning else { return }
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }
}

/// A broker did not come up.
struct BrokerSilent: Error {
    let log: String
}
