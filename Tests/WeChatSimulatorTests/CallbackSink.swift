import Hummingbird
import NIOCore
import Synchronization

@testable import BelfryWeChatSimulator

/// A server that callbacks are pushed to, which answers as the test says.
final class CallbackSink: Sendable {
    struct Received: Sendable {
        var method: String
        var query: [String: String]
        var body: String

        /// The plain callback, decrypted where it is encrypted.
        func opened(_ account: AccountSettings) throws -> XMLElement {
            let outer = try XMLElement.parse(Array(body.utf8))
            guard account.mode != .plain, let encrypted = outer.value("Encrypt"),
                let key = EncodingKey(account.encodingAESKey)
            else { return outer }
            return try XMLElement.parse(
                Envelope(key: key, tail: account.appID).decrypt(encrypted)
            )
        }
    }

    enum Answer: Sendable {
        case body(String)
        case status(Int)
        case hang
        case reset
    }

    private let log = Mutex<[Received]>([])
    private let answer: @Sendable (Received, Int) -> Answer

    /// - Parameter answer: gets the request and how many came before it.
    init(_ answer: @escaping @Sendable (Received, Int) -> Answer = { _, _ in .body("success") }) {
        self.answer = answer
    }

    var received: [Received] { log.withLock { $0 } }

    /// Runs `body` while the server listens; it gets the URL for callbacks.
    func serve(_ body: (String) async throws -> Void) async throws {
        let server = try await SimulatorServer.start(
            host: "127.0.0.1",
            port: 0,
            SinkResponder(sink: self)
        )
        do {
            try await body(server.baseURL + "/callback?tenant=7")
            await server.stop()
        } catch {
            await server.stop()
            throw error
        }
    }

    fileprivate func take(_ received: Received) -> Answer {
        let before = log.withLock { log in
            log.append(received)
            return log.count - 1
        }
        return answer(received, before)
    }
}

private struct SinkResponder: HTTPResponder {
    typealias Context = ConnectionContext

    let sink: CallbackSink

    func respond(to request: Request, context: ConnectionContext) async throws -> Response {
        var request = request
        let body = try await request.collectBody(upTo: 1 << 20)
        let received = CallbackSink.Received(
            method: request.method.rawValue,
            query: SimulatorResponder.query(request),
            body: String(buffer: body)
        )
        switch sink.take(received) {
        case .body(let text): return SimulatorResponder.text(text, type: "text/plain")
        case .status(let code): return Response(status: HTTPResponse.Status(code: code))
        case .hang:
            await BrokenConnection.hang(context.channel, for: .seconds(600))
            return Response(status: .ok)
        case .reset:
            await BrokenConnection.reset(context.channel)
            return Response(status: .ok)
        }
    }
}
