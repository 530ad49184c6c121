import BelfryCore
import BelfryRecords
import Crypto
import HTTPTypes
import Hummingbird

/// Requests that carry an `Idempotency-Key`: the same one again is answered as before, and does nothing twice.
extension API {
    /// Answers through the records where the request asks for that.
    ///
    /// - Throws: `idempotencyMismatch` where the key was used for another request, `idempotencyConflict` while the first is at work.
    func once(_ route: Route, _ call: Call) async throws -> Response {
        guard route.operation?.isIdempotent == true,
            let given = call.request.headers[.idempotencyKey]
        else { return try await route.handler(call) }
        guard (1...255).contains(given.utf8.count) else {
            throw Problem(.malformed, "Idempotency-Key must be 1 to 255 bytes.")
        }
        let body = try await call.body()
        var call = call
        call.collected = body
        // Two clients may choose the same key for different things.
        let key = "\(call.principal.id)/\(given)"
        switch try await server.records.idempotency.begin(
            key,
            fingerprint: fingerprint(call.request, body)
        ) {
        case .begin: return try await first(route, call, key)
        case .replay(let status, let body):
            return .bytes(
                body,
                type: status < 400 ? "application/json" : "application/problem+json",
                status: .init(code: status),
                headers: [.idempotencyReplay: "true"]
            )
        case .mismatch:
            throw Problem(
                .idempotencyMismatch,
                "This Idempotency-Key was used for another request within 24 hours."
            )
        case .inProgress:
            throw Problem(
                .idempotencyConflict,
                "The first request with this Idempotency-Key is still being answered.",
                retryAfter: 1
            )
        }
    }

    private func first(_ route: Route, _ call: Call, _ key: String) async throws -> Response {
        do {
            let response = try await route.handler(call)
            guard let body = response.body.contentLength, body <= TextLimits.answer else {
                try await server.records.idempotency.forget(key)
                return response
            }
            let bytes = try await response.collected()
            try await server.records.idempotency.finish(
                key,
                status: response.status.code,
                body: bytes
            )
            return Response(
                status: response.status,
                headers: response.headers,
                body: .init(bytes)
            )
        } catch {
            let problem = Problem(from: error)
            // What the caller did wrong stays wrong; what we failed at may be tried again.
            if problem.code.status.code < 500 {
                let document = problem.json(
                    instance: call.request.uri.path,
                    requestID: call.context.requestID
                )
                try await server.records.idempotency.finish(
                    key,
                    status: problem.code.status.code,
                    body: document.bytes
                )
            } else {
                try await server.records.idempotency.forget(key)
            }
            throw error
        }
    }

    private func fingerprint(_ request: Request, _ body: [UInt8]) -> [UInt8] {
        var hash = SHA256()
        hash.update(data: Array("\(request.method.rawValue) \(request.uri.path)\n".utf8))
        hash.update(data: body)
        return Array(hash.finalize())
    }
}

extension Response {
    /// The body, where it is a few bytes in memory.
    fileprivate func collected() async throws -> [UInt8] {
        let collector = BodyCollector()
        try await body.write(collector)
        return collector.bytes
    }
}

/// Keeps what is written.
private final class BodyCollector: ResponseBodyWriter {
    private(set) var bytes: [UInt8] = []

    func write(_ buffer: ByteBuffer) async throws {
        bytes.append(contentsOf: buffer.readableBytesView)
    }
    func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
