import Hummingbird
import Logging
import NIOCore

/// The raw limit of loopback HTTP: a server that reads each body to its end and answers with as many bytes as ours would.
enum SinkServer {
    /// Runs until `work` returns.
    ///
    /// - Parameters:
    ///   - answer: the body of every answer.
    ///   - work: gets the port.
    static func during<Value: Sendable>(
        answering answer: [UInt8],
        _ work: @escaping @Sendable (_ port: Int) async throws -> Value
    ) async throws -> Value {
        let router = Router()
        router.post("**") { request, _ in
            for try await _ in request.body {}
            return Response(status: .ok, body: ResponseBody(byteBuffer: ByteBuffer(bytes: answer)))
        }
        var logger = Logger(label: "belfry.bench")
        logger.logLevel = .critical
        let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
        let application = Application(
            router: router,
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { continuation.yield($0.localAddress?.port ?? 0) },
            logger: logger
        )
        return try await During.run({ try await application.run() }, ports, work)
    }
}

/// Runs something in the background while something else works.
enum During {
    static func run<Value: Sendable>(
        _ background: @escaping @Sendable () async throws -> Void,
        _ ports: AsyncStream<Int>,
        _ work: @escaping @Sendable (_ port: Int) async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask {
                try await background()
                return nil
            }
            group.addTask {
                for await port in ports { return try await work(port) }
                return nil
            }
            while let result = try await group.next() {
                if let result {
                    group.cancelAll()
                    return result
                }
            }
            throw LoadFailure("the server ended by itself")
        }
    }
}
