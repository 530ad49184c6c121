package import Hummingbird
import Logging

/// Serves a router on a free port of the loopback while `body` runs.
///
/// - Parameter url: without a path: `http://127.0.0.1:PORT`.
package func withLoopbackServer(
    _ router: Router<BasicRequestContext>,
    _ body: @escaping @Sendable (_ url: String) async throws -> Void
) async throws {
    let (ports, port) = AsyncStream<Int>.makeStream()
    var logger = Logger(label: "loopback")
    logger.logLevel = .critical
    let app = Application(
        router: router,
        configuration: .init(address: .hostname("127.0.0.1", port: 0)),
        onServerRunning: { port.yield($0.localAddress?.port ?? 0) },
        logger: logger
    )
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await app.runService(gracefulShutdownSignals: []) }
        group.addTask {
            for await port in ports { return try await body("http://127.0.0.1:\(port)") }
        }
        try await group.next()
        group.cancelAll()
    }
}
