package import HTTPTypes
package import Hummingbird

/// One thing the server answers: from this table come the router, the OpenAPI document, and the test that asks every route for a key.
package struct Route: Sendable {
    package let method: HTTPRequest.Method
    /// With parameters in braces: `/v1/accounts/{account}`.
    package let path: String
    package let access: Access
    /// What it does, as OpenAPI's `operationId` and `summary`; `nil` for pages of the console.
    package let operation: Operation?
    package let handler: @Sendable (Call) async throws -> Response

    /// Who may use a route.
    package enum Access: Sendable, Hashable {
        case scope(Scope)
        /// Anybody: health checks, and what proves itself otherwise (a callback's signature, the code of a link).
        case anyone
        /// A page of the console: a browser without a session is sent to the login page.
        case page
    }
}

/// What OpenAPI says of a route.
package struct Operation: Sendable {
    package var id: String
    package var summary: String
    package var tag: String
    package var query: [Parameter] = []
    package var body: Body?
    /// The name of the answer's schema, and its status.
    package var answer: String
    package var status: Int = 200
    package var answerType = "application/json"
    /// Whether `Idempotency-Key` is honoured.
    package var isIdempotent = false

    package struct Parameter: Sendable {
        package var name: String
        package var meaning: String
        package var kind: String

        package init(_ name: String, _ kind: String, _ meaning: String) {
            self.name = name
            self.kind = kind
            self.meaning = meaning
        }
    }

    package struct Body: Sendable {
        package var schema: String
        package var type: String
        package var isRequired: Bool

        package init(_ schema: String, type: String = "application/json", required: Bool = true) {
            self.schema = schema
            self.type = type
            isRequired = required
        }
    }
}

/// Finds what methods a path knows, to tell 405 from 404.
struct RouteIndex: Sendable {
    let templates: [(path: [Substring], method: String)]

    init(_ routes: [Route]) {
        templates = routes.map { ($0.path.split(separator: "/"), $0.method.rawValue) }
    }

    func methods(at path: String) -> [String] {
        let parts = path.split(separator: "/")
        let found = templates.filter { template in
            template.path.count == parts.count
                && zip(template.path, parts).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
        }
        return Set(found.map(\.method)).sorted()
    }
}
