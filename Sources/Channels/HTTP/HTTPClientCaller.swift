import AsyncHTTPClient
package import BelfryCore
import NIOCore
import NIOHTTP1

/// Makes HTTP calls over one pool of connections. Redirects are never followed: they would carry a body, or a token, to an
/// address that nobody checked.
///
/// A connection that the other side closes just as a request goes out on it fails as `noAnswer`: whether the request arrived
/// cannot be known. Idle connections are therefore dropped early.
package final class HTTPClientCaller: HTTPCaller {
    private let client: HTTPClient
    private let pinned: PinnedClients

    /// - Parameters:
    ///   - connectionsPerHost: how many connections one host gets at the same time (over HTTP/2 one carries all). WeChat is one host.
    ///   - connectTimeout: how long a connection may take to come about, TLS included; running out of it is `notConnected`. So is waiting
    ///     that long for a connection while all are busy. Keep it below the calls' own timeout, which cannot tell the two apart.
    package init(connectionsPerHost: Int = 128, connectTimeout: Duration = .seconds(5)) {
        let configuration = Self.configuration(connectionsPerHost, connectTimeout)
        client = HTTPClient(configuration: configuration)
        pinned = PinnedClients(configuration: configuration)
    }

    /// Closes all connections. Must be called once, last.
    package func shutdown() async {
        await pinned.shutdown()
        // It fails only where it was shut down before: then it is what was asked for.
        try? await client.shutdown()
    }

    package func call(_ call: HTTPCall) async throws(HTTPFailure) -> HTTPAnswer {
        do {
            // The client library would also speak to sockets in the file system.
            let host = try WebAddress(call.url).host
            guard let address = call.address else { return try await Self.run(call, on: client) }
            return try await pinned.with(host: host, address: address) { client in
                try await Self.run(call, on: client)
            }
        } catch let failure as HTTPFailure {
            throw failure
        } catch {
            throw HTTPFailure(error)
        }
    }

    private static func run(_ call: HTTPCall, on client: HTTPClient) async throws -> HTTPAnswer {
        var request = HTTPClientRequest(url: call.url)
        request.method = HTTPMethod(rawValue: call.method)
        for header in call.headers { request.headers.add(name: header.name, value: header.value) }
        if !call.body.isEmpty { request.body = .bytes(ByteBuffer(bytes: call.body)) }
        // One deadline for head and body: a server that drips its answer ends with it too.
        let deadline = NIODeadline.now() + .milliseconds(call.timeout.milliseconds)
        let response = try await client.execute(request, deadline: deadline)
        return HTTPAnswer(
            status: Int(response.status.code),
            headers: response.headers.map { ($0.name, $0.value) },
            body: try await collect(response.body, of: call)
        )
    }

    private static func collect(_ body: HTTPClientResponse.Body, of call: HTTPCall) async throws
        -> [UInt8]
    {
        do {
            return try await collect(body, limit: call.answerLimit)
        } catch {
            // A small body is read all the same: so the connection can be used again.
            guard call.headSuffices else { throw error }
            return []
        }
    }

    private static func collect(_ body: HTTPClientResponse.Body, limit: Int) async throws
        -> [UInt8]
    {
        var bytes: [UInt8] = []
        for try await part in body {
            guard bytes.count + part.readableBytes <= limit else {
                throw HTTPFailure(.tooLarge, "the answer has more than \(limit) bytes")
            }
            bytes += part.readableBytesView
        }
        return bytes
    }

    private static func configuration(_ connections: Int, _ connect: Duration)
        -> HTTPClient.Configuration
    {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.timeout.connect = .milliseconds(connect.milliseconds)
        configuration.connectionPool.idleTimeout = .seconds(20)
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = connections
        // Retrying is the caller's affair: it knows what may be repeated, and when.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.decompression = .disabled
        return configuration
    }
}
