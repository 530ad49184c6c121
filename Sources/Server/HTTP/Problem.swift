import BelfryCore
import HTTPTypes
import Hummingbird

/// What went wrong with a request, as RFC 9457 tells it: `application/problem+json` with a code for programs, a sentence for
/// people, and for each wrong field a JSON pointer.
package struct Problem: Error, Sendable, Equatable {
    package var code: Code
    package var detail: String
    package var fields: [Field]
    /// When to try again, in seconds.
    package var retryAfter: Int?
    /// What this resource allows, where another method was used.
    package var allow: [String]

    /// One wrong field.
    package struct Field: Sendable, Equatable {
        /// RFC 6901, such as `/merge/grace`; for a query or path parameter its name with a `?` before it.
        package var pointer: String
        package var code: String
        package var detail: String

        package init(_ pointer: String, _ code: String, _ detail: String) {
            self.pointer = pointer
            self.code = code
            self.detail = detail
        }
    }

    package init(
        _ code: Code,
        _ detail: String,
        fields: [Field] = [],
        retryAfter: Int? = nil,
        allow: [String] = []
    ) {
        self.code = code
        self.detail = detail
        self.fields = fields
        self.retryAfter = retryAfter
        self.allow = allow
    }

    /// A request whose fields are wrong.
    package static func invalid(_ fields: [Field]) -> Problem {
        let detail =
            fields.count == 1
            ? "\(fields[0].pointer): \(fields[0].detail)" : "\(fields.count) fields are wrong"
        return Problem(.invalid, detail, fields: fields)
    }

    package static func invalid(_ pointer: String, _ detail: String) -> Problem {
        .invalid([Field(pointer, "invalid", detail)])
    }

    package static func notFound(_ what: String) -> Problem {
        Problem(.notFound, "There is no \(what).")
    }
}

extension Problem {
    /// The document that is sent.
    ///
    /// - Parameters:
    ///   - instance: the path of the request.
    ///   - requestID: what the log line of the request carries.
    func json(instance: String, requestID: String) -> JSONValue {
        let fields = fields.map { field -> JSONValue in
            [
                "pointer": .string(field.pointer), "code": .string(field.code),
                "detail": .string(field.detail),
            ]
        }
        let document: JSONValue = [
            "type": .string("urn:belfry:problem:\(code.rawValue)"),
            "title": .string(code.title),
            "status": .count(code.status.code),
            "detail": .string(detail),
            "instance": .string(instance),
            "code": .string(code.rawValue),
            "request_id": .string(requestID),
            "errors": fields.isEmpty ? .null : .array(fields),
        ]
        return document.withoutNulls
    }

    func response(instance: String, requestID: String) -> Response {
        var headers: HTTPFields = [.contentType: "application/problem+json"]
        if let retryAfter { headers[.retryAfter] = String(retryAfter) }
        if !allow.isEmpty { headers[.allow] = allow.joined(separator: ", ") }
        if code == .unauthenticated { headers[.wwwAuthenticate] = "Bearer realm=\"belfry\"" }
        let bytes = json(instance: instance, requestID: requestID).bytes
        return Response(status: code.status, headers: headers, body: .init(bytes))
    }
}
