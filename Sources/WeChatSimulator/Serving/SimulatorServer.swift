import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle

/// A running HTTP server of a simulator. Stop it with ``stop()``.
package final class SimulatorServer: Sendable {
    package let host: String
    /// The real one, also when 0 was asked for.
    package let port: Int
    private let group: ServiceGroup
    private let task: Task<Void, any Error>

    /// What to put before `/cgi-bin/…`.
    package var baseURL: String { "http://\(host.contains(":") ? "[\(host)]" : host):\(port)" }

    private init(host: String, port: Int, group: ServiceGroup, task: Task<Void, any Error>) {
        self.host = host
        self.port = port
        self.group = group
        self.task = task
    }

    /// Stops listening, answers what is under way and cuts what hangs.
    ///
    /// Not by cancelling: a connection that was accepted and not yet handled would then be dropped, which NIO takes
    /// for a programming error and ends the process.
    package func stop() async {
        await group.triggerGracefulShutdown()
        // How it ended does not matter any more.
        _ = await task.result
    }

    /// Starts any server of connections like the simulator's, and returns once it listens.
    static func start<Responder: HTTPResponder>(
        host: String,
        port: Int,
        _ responder: Responder
    ) async throws -> SimulatorServer where Responder.Context == ConnectionContext {
        let (ports, continuation) = AsyncThrowingStream.makeStream(of: Int.self)
        let server = application(host: host, port: port, responder) { continuation.yield($0) }
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [.init(service: server)],
                logger: silence
            )
        )
        let task = Task { @concurrent in
            do {
                try await group.run()
                continuation.finish()
            } catch {
                continuation.finish(throwing: error)
                throw error
            }
        }
        for try await real in ports {
            return SimulatorServer(host: host, port: real, group: group, task: task)
        }
        throw CancellationError()
    }

    static func application<Responder: HTTPResponder>(
        host: String,
        port: Int,
        _ responder: Responder,
        onListening: @escaping @Sendable (Int) -> Void
    ) -> Application<Responder> where Responder.Context == ConnectionContext {
        Application(
            responder: responder,
            configuration: ApplicationConfiguration(
                address: .hostname(host, port: port),
                serverName: nil
            ),
            onServerRunning: { onListening($0.localAddress?.port ?? 0) },
            logger: silence
        )
    }

    /// Who starts the simulator says where it listens; broken connections are its trade.
    private static var silence: Logger {
        Logger(label: "wechat-simulator") { _ in SwiftLogNoOpLogHandler() }
    }
}

extension WeChatSimulator {
    /// Listens, and returns once it does.
    ///
    /// - Parameters:
    ///   - port: 0 for any free one.
    ///   - controlFromAnywhere: whether `/_sim/` and the page answer others than this machine.
    /// - Throws: when it cannot listen there.
    package func listen(
        host: String = "127.0.0.1",
        port: Int = 0,
        controlFromAnywhere: Bool = false
    ) async throws -> SimulatorServer {
        let responder = SimulatorResponder(
            simulator: self,
            controlFromAnywhere: controlFromAnywhere
        )
        return try await SimulatorServer.start(host: host, port: port, responder)
    }

    /// Listens until the process is told to stop gracefully or the task is cancelled.
    ///
    /// - Parameter onListening: told the real port.
    package func serve(
        host: String = "127.0.0.1",
        port: Int = 0,
        controlFromAnywhere: Bool = false,
        onListening: @escaping @Sendable (Int) -> Void = { _ in }
    ) async throws {
        let responder = SimulatorResponder(
            simulator: self,
            controlFromAnywhere: controlFromAnywhere
        )
        try await SimulatorServer.application(
            host: host,
            port: port,
            responder,
            onListening: onListening
        ).run()
    }
}
