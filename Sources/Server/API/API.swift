import BelfryCore
import BelfryRecords
import Hummingbird

/// The HTTP API: its routes, and what they share.
package struct API: Sendable {
    package let server: ServerDependencies
    let sessions: ConsoleSessions
    let authentication: Authentication
    let instruments: HTTPInstruments
    let latest = NewestStats()
    let outage = Outage()

    package init(_ server: ServerDependencies) {
        self.server = server
        sessions = ConsoleSessions()
        authentication = Authentication(server: server, sessions: sessions)
        instruments = HTTPInstruments(factory: PrometheusFactory(registry: server.registry))
    }

    /// The one table of everything the server answers.
    package var routes: [Route] {
        health + accounts + people + flows + events + pushes + deliveries + deadLetters
            + topics + reminders + overview + stream + administration + config + moves + backups
            + recordsRoutes + document
            + console
    }

    func answer(_ route: Route, _ request: Request, _ context: ServerContext) async throws
        -> Response
    {
        // No text that is kept holds one, and not every database takes it in a question.
        guard !request.uri.string.contains("%00") else {
            throw Problem(.invalid, "The address must not contain U+0000.")
        }
        var context = context
        switch route.access {
        case .anyone: break
        case .scope(let scope):
            let principal = try await authentication.principal(of: request)
            try authentication.authorize(principal, scope)
            context.principal = principal
        case .page:
            do {
                let principal = try await authentication.principal(of: request)
                try authentication.authorize(principal, .read)
                context.principal = principal
            } catch let problem as Problem where problem.code == .unauthenticated {
                return redirect(to: "/console/login")
            }
        }
        try refuseRepeatedQuery(of: request, at: route)
        try refuseUnknownQuery(of: request, at: route)
        let principal = context.principal ?? Principal(id: "", name: "anyone", scopes: [])
        let call = Call(request: request, context: context, server: server, principal: principal)
        return try await once(route, call)
    }

    /// Of two values of one parameter, one would quietly be left out.
    private func refuseRepeatedQuery(of request: Request, at route: Route) throws(Problem) {
        guard route.operation != nil, route.path.hasPrefix("/v1/") else { return }
        let names = request.uri.queryParameters.map { String($0.key) }
        let repeated = Set(names.filter { name in names.count { $0 == name } > 1 })
        guard !repeated.isEmpty else { return }
        throw Problem(
            .malformed,
            "A query parameter can be given once.",
            fields: repeated.sorted().map {
                Problem.Field("?\($0.prefix(128))", "repeated", "is given more than once")
            }
        )
    }

    /// A slip in a name must not quietly ask for something else. What is not the API's own, such as a link that people share, may carry anything.
    private func refuseUnknownQuery(of request: Request, at route: Route) throws(Problem) {
        guard let operation = route.operation, route.path.hasPrefix("/v1/") else { return }
        let allowed = operation.query.map(\.name)
        let unknown = request.uri.queryParameters.map { String($0.key) }.filter {
            !allowed.contains($0)
        }
        guard !unknown.isEmpty else { return }
        let known = allowed.isEmpty ? "none is" : allowed.joined(separator: ", ") + " are"
        throw Problem(
            .malformed,
            "Unknown query parameters; \(known) allowed here.",
            fields: unknown.map { name in
                let nearest = Suggestion.nearest(to: name, among: allowed)
                let guess = nearest.map { "; did you mean '\($0)'?" } ?? ""
                return Problem.Field("?\(name.prefix(128))", "unknown", "is not known\(guess)")
            }
        )
    }

    /// Notes who changed what. A change that cannot be noted was made all the same, so the caller hears of it.
    func audit(
        _ call: Call,
        _ action: String,
        _ subject: String,
        before: JSONValue? = nil,
        after: JSONValue? = nil
    ) async throws {
        try await server.records.audit.append(
            AuditRecord(
                at: server.clock.now(),
                who: call.principal.id,
                action: action,
                subject: subject,
                before: before?.text,
                after: after?.text
            )
        )
    }
}
