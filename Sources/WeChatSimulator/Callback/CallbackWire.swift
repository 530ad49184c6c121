import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// Sends callbacks over HTTP.
final class CallbackWire: Sendable {
    enum Answer: Sendable {
        case body([UInt8])
        /// A status that is not 200.
        case status(Int)
        /// Time ran out, or the connection failed.
        case none(String)
    }

    private let client: HTTPClient
    private let gate: Gate

    /// - Parameter width: how many callbacks are under way at once.
    init(width: Int) {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = width
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.httpVersion = .http1Only
        // The deadline of a call ends with the head of the answer; a body that stops coming is cut off by this.
        configuration.timeout.read = .seconds(5)
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        gate = Gate(width: width)
    }

    // The client insists on being shut down; whoever drops the simulator need not think of it.
    deinit { client.shutdown { _ in } }

    func post(_ request: CallbackRequest, to url: String, timeout: Duration) async -> Answer {
        var call = HTTPClientRequest(url: Self.join(url, request.query))
        call.method = .POST
        call.headers.add(name: "content-type", value: request.contentType)
        call.headers.add(name: "user-agent", value: "Mozilla/4.0")
        call.body = .bytes(ByteBuffer(string: request.body))
        return await run(call, timeout: timeout)
    }

    func get(_ url: String, query: String, timeout: Duration) async -> Answer {
        await run(HTTPClientRequest(url: Self.join(url, query)), timeout: timeout)
    }

    private func run(_ call: HTTPClientRequest, timeout: Duration) async -> Answer {
        await gate.pass {
            do {
                let deadline = NIODeadline.now() + TimeAmount(timeout)
                let answer = try await client.execute(call, deadline: deadline)
                let body = try await answer.body.collect(upTo: 1 << 20)
                guard answer.status == .ok else { return .status(Int(answer.status.code)) }
                return .body(Array(body.readableBytesView))
            } catch {
                return .none("no answer: \(error)")
            }
        }
    }

    private static func join(_ url: String, _ query: String) -> String {
        url + (url.contains("?") ? "&" : "?") + query
    }
}
