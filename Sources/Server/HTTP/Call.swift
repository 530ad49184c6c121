package import BelfryCore
package import HTTPTypes
package import Hummingbird
import NIOCore

/// One request on its way through a handler, with what handlers ask of it.
package struct Call: Sendable {
    package let request: Request
    package let context: ServerContext
    package let server: ServerDependencies
    package let principal: Principal
    /// The body, where it was read before.
    var collected: [UInt8]?

    /// A path parameter, percent-decoded.
    ///
    /// - Throws: `invalid` where it is not UTF-8 or longer than 1 KiB.
    package func parameter(_ name: String) throws(Problem) -> String {
        guard let raw = context.parameters.get(name) else {
            preconditionFailure("the route has no parameter '\(name)'")
        }
        guard let text = raw.removingPercentEncoding, text.utf8.count <= 1024 else {
            throw .invalid("?\(name)", "must be at most 1024 bytes of UTF-8")
        }
        return text
    }

    /// A query parameter, percent-decoded; `nil` where it is absent or empty.
    package func query(_ name: String) -> String? {
        guard let value = request.uri.queryParameters[Substring(name)], !value.isEmpty else {
            return nil
        }
        return String(value)
    }

    package func query(_ name: String, in range: ClosedRange<Int>, default fallback: Int)
        throws(Problem) -> Int
    {
        guard let text = query(name) else { return fallback }
        guard let number = Int(text), range.contains(number) else {
            throw .invalid(
                "?\(name)",
                "must be a whole number from \(range.lowerBound) to \(range.upperBound)"
            )
        }
        return number
    }

    package func queryTime(_ name: String) throws(Problem) -> Timestamp? {
        guard let text = query(name) else { return nil }
        guard let time = TimeText.parse(text) else {
            throw .invalid("?\(name)", "must be an RFC 3339 time, such as 2026-11-21T08:00:00Z")
        }
        return time
    }

    package func queryDuration(_ name: String, default fallback: Duration) throws(Problem)
        -> Duration
    {
        guard let text = query(name) else { return fallback }
        guard let span = DurationText.parse(text) else {
            throw .invalid("?\(name)", "must be a duration, such as 90s or PT1M30S")
        }
        return span
    }

    package func queryFlag(_ name: String) throws(Problem) -> Bool {
        switch query(name) {
        case nil, "false", "0": false
        case "true", "1": true
        default: throw .invalid("?\(name)", "must be true or false")
        }
    }

    /// The whole body.
    ///
    /// - Throws: `tooLarge` above the configured limit.
    package func body() async throws -> [UInt8] {
        if let collected { return collected }
        let limit = server.configuration.http.bodyBytesMax
        if let text = request.headers[.contentLength], let length = Int(text), length > limit {
            throw Problem(.tooLarge, "The body has \(length) bytes; at most \(limit) are allowed.")
        }
        do {
            return Array(buffer: try await request.body.collect(upTo: limit))
        } catch is NIOTooManyBytesError {
            throw Problem(.tooLarge, "The body has more than \(limit) bytes.")
        }
    }

    /// The body as a JSON object, to be read field by field.
    ///
    /// - Parameter required: without, an empty body is an empty object.
    package func fields(required: Bool = true) async throws -> Fields {
        let bytes = try await body()
        if bytes.isEmpty {
            if required { throw Problem(.malformed, "A JSON object is expected in the body.") }
            return Fields(.object([]))
        }
        try expectType("json")
        return try Fields.parse(bytes)
    }

    /// Refuses a media type that was said and is not one of these.
    package func expectType(_ words: String...) throws(Problem) {
        guard let type = request.headers[.contentType]?.lowercased() else { return }
        guard words.contains(where: { type.contains($0) }) else {
            throw Problem(
                .unsupportedMediaType,
                "Content-Type is '\(type.prefix(100))'; \(words.joined(separator: " or ")) is expected."
            )
        }
    }
}

extension Response {
    package static func json(
        _ value: JSONValue,
        status: HTTPResponse.Status = .ok,
        headers: HTTPFields = [:]
    ) -> Response {
        var headers = headers
        headers[.contentType] = "application/json"
        return Response(status: status, headers: headers, body: .init(value.bytes))
    }

    package static func bytes(
        _ bytes: [UInt8],
        type: String,
        status: HTTPResponse.Status = .ok,
        headers: HTTPFields = [:]
    ) -> Response {
        var headers = headers
        headers[.contentType] = type
        return Response(status: status, headers: headers, body: .init(bytes))
    }
}
