package import HTTPTypes
package import Hummingbird
import Logging

/// What travels with a request: who asks, and the id that its log line and its problems carry.
package struct ServerContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    /// Who asks; set by the route before its handler runs.
    package var principal: Principal?
    package var requestID: String

    package init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        requestID = source.logger[metadataKey: "hb.request.id"].map { "\($0)" } ?? "-"
    }
}

/// Who is behind a request, and what they may do.
package struct Principal: Sendable, Hashable {
    /// The key's id, for the audit log; never the key.
    package var id: String
    package var name: String
    package var scopes: Set<Scope>

    package init(id: String, name: String, scopes: Set<Scope>) {
        self.id = id
        self.name = name
        self.scopes = scopes
    }

    package func may(_ scope: Scope) -> Bool {
        scopes.contains(scope) || scopes.contains(.admin)
    }

    /// Whoever reaches an open server on loopback.
    package static let local = Principal(id: "local", name: "local", scopes: [.admin])
}

/// What a key allows.
package enum Scope: String, Sendable, Hashable, CaseIterable {
    /// Everything, and the only scope for keys, configuration and accounts' secrets.
    case admin
    case read
    /// Schedule and cancel pushes, subscribe people to topics, send events.
    case push
    case people
    case flows
    case accounts
    case deadLetters = "dead-letters"

    package var meaning: String {
        switch self {
        case .admin: "everything, keys included"
        case .read: "read everything but secrets"
        case .push: "schedule and cancel pushes, subscribe people to topics, report events"
        case .people: "change tags of people and erase them"
        case .flows: "check, simulate and publish flows; set, move and close topics"
        case .accounts: "create, change, pause and remove accounts"
        case .deadLetters: "retry and discard dead letters"
        }
    }
}

/// Settles what every response shares: problems for errors, the request id, headers for browsers, one log line, the counters.
struct Envelope: RouterMiddleware {
    typealias Context = ServerContext

    let routes: RouteIndex
    let instruments: HTTPInstruments
    let accessLog: Bool

    @concurrent
    func handle(
        _ request: Request,
        context: ServerContext,
        next: @concurrent (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        if let given = request.headers[.requestID], Self.isPlain(given) {
            context.requestID = given
        }
        let start = ContinuousClock.now
        var response: Response
        do {
            response = try await next(request, context)
        } catch {
            let problem = problem(from: error, request)
            if problem.code == .internalError {
                context.logger.error(
                    "A request failed",
                    metadata: ["error": "\(error)", "path": "\(request.uri.path)"]
                )
            }
            response = problem.response(
                instance: request.uri.path,
                requestID: context.requestID
            )
        }
        response.headers[.requestID] = context.requestID
        response.headers[.xContentTypeOptions] = "nosniff"
        if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
        let route = context.endpointPath ?? "none"
        let elapsed = ContinuousClock.now - start
        instruments.record(
            route: route,
            method: request.method.rawValue,
            status: response.status.code,
            elapsed
        )
        if accessLog {
            // The path without its query: queries of callbacks carry signatures.
            context.logger.info(
                "request",
                metadata: [
                    "method": "\(request.method.rawValue)", "path": "\(request.uri.path)",
                    "status": "\(response.status.code)", "ms": "\(elapsed.wholeMilliseconds)",
                    "request_id": "\(context.requestID)",
                ]
            )
        }
        return response
    }

    private func problem(from error: any Error, _ request: Request) -> Problem {
        guard let http = error as? HTTPError, http.status == .notFound else {
            return Problem(from: error)
        }
        let allowed = routes.methods(at: request.uri.path)
        guard !allowed.isEmpty else {
            return Problem(.notFound, "There is nothing at \(request.uri.path.prefix(200)).")
        }
        return Problem(
            .methodNotAllowed,
            "\(request.method.rawValue) is not one of \(allowed.joined(separator: ", ")).",
            allow: allowed
        )
    }

    /// An id that a client chose may stand in our log only if it is harmless.
    private static func isPlain(_ id: String) -> Bool {
        (1...64).contains(id.utf8.count)
            && id.utf8.allSatisfy { byte in
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                    || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
                    || byte == UInt8(ascii: ".")
            }
    }
}

extension Duration {
    fileprivate var wholeMilliseconds: Int64 {
        components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
    }
}

extension HTTPField.Name {
    static func named(_ text: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(text) else {
            preconditionFailure("\(text) is no field name")
        }
        return name
    }

    package static let requestID = named("X-Request-ID")
    package static let idempotencyKey = named("Idempotency-Key")
    package static let idempotencyReplay = named("Idempotency-Replay")
    package static let xContentTypeOptions = named("X-Content-Type-Options")
    package static let xFrameOptions = named("X-Frame-Options")
    package static let referrerPolicy = named("Referrer-Policy")
    package static let xAccelBuffering = named("X-Accel-Buffering")
}

extension ResponseBody {
    init(_ bytes: [UInt8]) { self.init(byteBuffer: ByteBuffer(bytes: bytes)) }
}
