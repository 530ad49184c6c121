import BelfryCore
import HTTPTypes
import Hummingbird

/// Finds out who asks, and whether they may.
struct Authentication: Sendable {
    let server: ServerDependencies
    let sessions: ConsoleSessions

    /// Who is behind the request: a bearer key, or a console session; anybody where the server is open on loopback.
    ///
    /// - Throws: `unauthenticated`, or what keeps the keys from being read.
    func principal(of request: Request) async throws -> Principal {
        if let header = request.headers[.authorization] {
            return try await bearer(header)
        }
        if let session = request.cookies[ConsoleSessions.cookieName]?.value,
            let principal = sessions.find(session, at: server.clock.now())
        {
            try checkOrigin(of: request)
            return principal
        }
        if server.configuration.http.auth == .loopbackOpen {
            try checkOrigin(of: request)
            try checkHost(of: request)
            return .local
        }
        throw Problem(.unauthenticated, "Send 'Authorization: Bearer <key>'.")
    }

    func authorize(_ principal: Principal, _ scope: Scope) throws(Problem) {
        guard principal.may(scope) else {
            throw Problem(
                .forbidden,
                "The key '\(principal.name)' lacks the scope '\(scope.rawValue)' (\(scope.meaning))."
            )
        }
    }

    /// The holder of a key, as it comes in a header or is typed into the login page.
    func holder(of text: String) async throws -> Principal {
        let refused = Problem(.unauthenticated, "The API key is unknown, revoked or expired.")
        guard let key = APIKey(text) else { throw refused }
        guard let (hash, principal) = try await server.keys.find(id: key.id), key.matches(hash)
        else { throw refused }
        return principal
    }

    private func bearer(_ header: String) async throws -> Principal {
        let parts = header.split(separator: " ", omittingEmptySubsequences: true)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else {
            throw Problem(.unauthenticated, "Authorization must be 'Bearer <key>'.")
        }
        return try await holder(of: String(parts[1]))
    }

    /// A page of another site must not act with our visitor's rights: what changes something and says where it comes from must
    /// come from here. `SameSite=Strict` says the same to browsers that know it.
    private func checkOrigin(of request: Request) throws(Problem) {
        guard request.method != .get, request.method != .head else { return }
        if let site = request.headers[.secFetchSite], site != "same-origin", site != "none" {
            throw Problem(.forbidden, "A page of another site may not do this.")
        }
        if let origin = request.headers[.origin], let host = request.head.authority,
            origin != "http://\(host)", origin != "https://\(host)"
        {
            throw Problem(.forbidden, "A page of another site may not do this.")
        }
    }

    /// An open server answers to loopback names only, so that a name of somebody else's that points here (DNS rebinding)
    /// opens nothing.
    private func checkHost(of request: Request) throws(Problem) {
        guard let authority = request.head.authority else { return }
        var host = authority
        if let colon = host.lastIndex(of: ":"), !host.hasSuffix("]") {
            host = String(host[..<colon])
        }
        guard host == "localhost" || host == "[::1]" || host.hasPrefix("127.") else {
            throw Problem(.forbidden, "This open server answers to loopback names only.")
        }
    }
}

extension HTTPField.Name {
    static let secFetchSite = HTTPField.Name.named("Sec-Fetch-Site")
}
