import BelfryCore
import HTTPTypes
import Hummingbird

/// The pages of the console. They are for browsers, so they are not in the OpenAPI document.
extension API {
    var console: [Route] {
        [
            page(.get, "/") { _ in redirect(to: "/console") },
            page(.get, "/console") { call in try await overviewPage(call) },
            page(.get, "/console/chart") { call in
                let title = ConsolePage(call, title: "overview").word("next48")
                return .bytes(Array(await chart(title: title).utf8), type: "image/svg+xml")
            },
            page(.get, "/console/people") { call in try await peoplePage(call) },
            page(.get, "/console/people/{account}/{person}") { call in
                try await personPage(call)
            },
            open(.get, "/console/login") { call in loginPage(call, error: "") },
            open(.post, "/console/login") { call in try await login(call) },
            open(.post, "/console/logout") { call in logout(call) },
            asset("console.css", "text/css; charset=utf-8", PackageResources.console_css),
            asset("console.js", "text/javascript; charset=utf-8", PackageResources.console_js),
            asset("icon.svg", "image/svg+xml", PackageResources.icon_svg),
        ] + Demonstration.Act.allCases.map(act)
    }

    /// A button of the demonstration.
    private func act(_ act: Demonstration.Act) -> Route {
        Route(
            method: .post,
            path: "/console/\(act.rawValue)",
            access: .scope(.push),
            operation: nil
        ) { _ in
            guard let demonstration = server.demonstration else {
                throw Problem(.notFound, "Only a demonstration can do this.")
            }
            try await demonstration.begin(act)
            return .json(["status": "begun"], status: .accepted)
        }
    }

    private typealias Handler = @Sendable (Call) async throws -> Response

    private func page(_ method: HTTPRequest.Method, _ path: String, _ handler: @escaping Handler)
        -> Route
    {
        Route(method: method, path: path, access: .page, operation: nil, handler: handler)
    }

    private func open(_ method: HTTPRequest.Method, _ path: String, _ handler: @escaping Handler)
        -> Route
    {
        Route(method: method, path: path, access: .anyone, operation: nil, handler: handler)
    }

    private func asset(_ name: String, _ type: String, _ bytes: [UInt8]) -> Route {
        open(.get, "/console/assets/\(name)") { _ in
            .bytes(bytes, type: type, headers: [.cacheControl: "no-cache"])
        }
    }

    func redirect(to path: String) -> Response {
        Response(status: .seeOther, headers: [.location: path])
    }

    // MARK: Signing in

    private func loginPage(_ call: Call, error: String) -> Response {
        var page = ConsolePage(call, title: "login")
        page.values["error"] = error
        return page.response("login", status: error.isEmpty ? .ok : .unauthorized)
    }

    private func login(_ call: Call) async throws -> Response {
        let body = try await call.body()
        guard body.count <= 4096, let key = Self.formValue("key", in: body) else {
            return loginPage(call, error: "?")
        }
        do {
            let principal = try await authentication.holder(of: key)
            let session = sessions.open(principal, at: server.clock.now())
            let secure = server.configuration.publicURL().hasPrefix("https://") ? "; Secure" : ""
            var response = redirect(to: "/console")
            response.headers[.setCookie] =
                "\(ConsoleSessions.cookieName)=\(session); Path=/; HttpOnly; SameSite=Strict; "
                + "Max-Age=\(ConsoleSessions.lifetime.milliseconds / 1000)\(secure)"
            return response
        } catch let problem as Problem where problem.code == .unauthenticated {
            return loginPage(call, error: problem.detail)
        }
    }

    private func logout(_ call: Call) -> Response {
        if let session = call.request.cookies[ConsoleSessions.cookieName]?.value {
            sessions.close(session)
        }
        var response = redirect(to: "/console/login")
        response.headers[.setCookie] =
            "\(ConsoleSessions.cookieName)=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0"
        return response
    }

    /// One value of a form, `application/x-www-form-urlencoded`.
    static func formValue(_ name: String, in body: [UInt8]) -> String? {
        for pair in String(decoding: body, as: UTF8.self).split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, parts[0] == name else { continue }
            return parts[1].replacing("+", with: " ").removingPercentEncoding
        }
        return nil
    }
}
