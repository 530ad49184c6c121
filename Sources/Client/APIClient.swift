package import AsyncHTTPClient
import NIOCore
import NIOHTTP1

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Calls the HTTP API of a Belfry server.
package struct APIClient: Sendable {
    private let address: String
    private let key: String?
    private let http: HTTPClient

    /// For the whole process, and never shut down: a command ends when its calls have.
    private static let http = {
        var configuration = HTTPClient.Configuration()
        // Somebody waits at the command line: a refused connection is told at once, not tried again for a minute.
        configuration.connectionPool.retryConnectionEstablishment = false
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    /// The largest answer that is read: a page of people or deliveries is far below it.
    private static let answerLimit = 64 << 20

    /// - Parameters:
    ///   - address: such as `http://127.0.0.1:8080`.
    ///   - key: the API key; `nil` where the server asks for none.
    /// - Throws: ``ClientError/badAddress(_:)``.
    package init(address: String, key: String?, http: HTTPClient? = nil) throws(ClientError) {
        guard let url = URL(string: address), ["http", "https"].contains(url.scheme ?? ""),
            !(url.host() ?? "").isEmpty
        else { throw .badAddress(address) }
        var address = address
        while address.hasSuffix("/") { address.removeLast() }
        self.address = address
        self.key = key
        self.http = http ?? Self.http
    }

    /// Makes a call and reads its JSON answer; null for an empty one.
    ///
    /// - Parameters:
    ///   - path: with parts already encoded by ``part(_:)``.
    ///   - query: plain values; they are encoded here.
    /// - Throws: ``ClientError``; `refused` for every status above 299.
    @discardableResult
    package func call(
        _ method: Method,
        _ path: String,
        query: [(String, String)] = [],
        body: JSON? = nil,
        timeout: Duration = .seconds(60)
    ) async throws(ClientError) -> JSON {
        let content = body.map { Content(type: "application/json", bytes: $0.bytes) }
        let bytes = try await send(method, path, query, content, timeout)
        return bytes.isEmpty ? .null : try JSON(parsing: bytes)
    }

    package enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"

        var nio: HTTPMethod { HTTPMethod(rawValue: rawValue) }
    }

    /// A body and what it is.
    package struct Content: Sendable {
        package var type: String
        package var bytes: [UInt8]

        package init(type: String, bytes: [UInt8]) {
            self.type = type
            self.bytes = bytes
        }
    }

    /// Makes a call and returns the bytes of its answer.
    package func send(
        _ method: Method,
        _ path: String,
        _ query: [(String, String)] = [],
        _ content: Content? = nil,
        _ timeout: Duration = .seconds(60)
    ) async throws(ClientError) -> [UInt8] {
        var request = HTTPClientRequest(url: address + path + Self.text(query))
        request.method = method.nio
        request.headers.add(name: "Accept", value: "application/json, application/x-ndjson")
        if let key { request.headers.add(name: "Authorization", value: "Bearer \(key)") }
        if let content {
            request.headers.add(name: "Content-Type", value: content.type)
            request.body = .bytes(content.bytes)
        }
        let status: Int
        let bytes: [UInt8]
        do {
            let answer = try await http.execute(
                request,
                timeout: .nanoseconds(timeout.components.seconds * 1_000_000_000)
            )
            status = Int(answer.status.code)
            let buffer = try await answer.body.collect(upTo: Self.answerLimit)
            bytes = Array(buffer.readableBytesView)
        } catch {
            throw .unreachable(address: address, cause: Self.words(error))
        }
        if status < 300 { return bytes }
        // A proxy's own page is no problem document: the status then says all there is to say.
        throw .refused(Refusal(status: status, document: (try? JSON(parsing: bytes)) ?? .null))
    }

    /// Encodes one part of a path, `/` included.
    package static func part(_ text: String) -> String { encode(text) }

    private static func text(_ query: [(String, String)]) -> String {
        if query.isEmpty { return "" }
        return "?" + query.map { "\(encode($0.0))=\(encode($0.1))" }.joined(separator: "&")
    }

    /// RFC 3986: everything but the unreserved letters.
    private static func encode(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"), UInt8(ascii: "~"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                result += "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return result
    }

    private static func words(_ error: any Error) -> String {
        switch error {
        case let error as HTTPClientError where error == .connectTimeout:
            "connecting took too long"
        case let error as HTTPClientError where error == .deadlineExceeded:
            "the answer took too long"
        case let error as HTTPClientError where error == .remoteConnectionClosed:
            "the connection was closed"
        case is NIOTooManyBytesError: "the answer is larger than \(answerLimit >> 20) MiB"
        default: "\(error)"
        }
    }
}
