import BelfryCore
import BelfryRecords
import BelfryServer
import HTTPTypes
import Hummingbird
import Testing

@Suite("Every route")
struct RoutesTests {
    /// A path that could be asked for.
    private func sample(_ path: String) -> String {
        path.split(separator: "/", omittingEmptySubsequences: false)
            .map { $0.hasPrefix("{") ? "x" : String($0) }.joined(separator: "/")
    }

    @Test("asks for a key, except health, the document, callbacks, links and the login page")
    func keys() async throws {
        let fixture = try await ServerFixture()
        var open: Set<String> = []
        for route in API(fixture.dependencies).routes {
            let answer = try await fixture.send(route.method, sample(route.path))
            switch route.access {
            case .scope:
                #expect(answer.status == 401, "\(route.method) \(route.path)")
                #expect(answer.code == "unauthenticated")
                #expect(answer.headers[.wwwAuthenticate] != nil)
            case .page:
                #expect(answer.status == 303 && answer.headers[.location] == "/console/login")
            case .anyone:
                open.insert(route.path)
                #expect(answer.code != "unauthenticated", "\(route.method) \(route.path)")
            }
        }
        #expect(
            open == [
                "/healthz", "/readyz", "/openapi.json", "/wechat/{account}/callback", "/l/{code}",
                "/console/login", "/console/logout", "/console/assets/console.css",
                "/console/assets/console.js", "/console/assets/icon.svg",
            ]
        )
    }

    @Test("refuses a key without its scope, a wrong key and a malformed header")
    func scopes() async throws {
        let fixture = try await ServerFixture()
        for route in API(fixture.dependencies).routes {
            guard case .scope(let scope) = route.access, scope != .read else { continue }
            let answer = try await fixture.send(
                route.method,
                sample(route.path),
                key: fixture.readKey
            )
            #expect(answer.status == 403, "\(route.method) \(route.path)")
            #expect(answer.json["detail"]?.string?.contains(scope.rawValue) == true)
        }
        var generator = SplitMix64(seed: 1)
        let wrong = try await fixture.send(.get, "/v1/stats", key: APIKey.make(using: &generator))
        #expect(wrong.status == 401)
        let basic = try await fixture.send(
            .get,
            "/v1/stats",
            headers: [.authorization: "Basic YTpi"]
        )
        #expect(basic.status == 401)
    }

    @Test("is open without keys on loopback only when told so, and not to other names or sites")
    func loopbackOpen() async throws {
        let fixture = try await ServerFixture(auth: .loopbackOpen)
        #expect(try await fixture.send(.get, "/v1/stats").status == 200)
        let post = try await fixture.send(
            .post,
            "/v1/pushes:cancel",
            #"{"ids":["a"]}"#,
            headers: [.origin: "https://evil.example"]
        )
        #expect(post.status == 403)
        let crossSite = try await fixture.send(
            .post,
            "/v1/pushes:cancel",
            #"{"ids":["a"]}"#,
            headers: [try #require(HTTPField.Name("Sec-Fetch-Site")): "cross-site"]
        )
        #expect(crossSite.status == 403)
    }

    @Test("carries a request id, and takes over only harmless ones")
    func requestIDs() async throws {
        let fixture = try await ServerFixture()
        let own = try await fixture.send(.get, "/healthz")
        #expect(own.headers[.requestID]?.isEmpty == false)
        let given = try await fixture.send(.get, "/healthz", headers: [.requestID: "abc-1.2"])
        #expect(given.headers[.requestID] == "abc-1.2")
        let odd = try await fixture.send(.get, "/healthz", headers: [.requestID: "a b"])
        #expect(odd.headers[.requestID] != "a b")
    }

    @Test("answers 404 and 405 as problems, the latter with what is allowed")
    func missing() async throws {
        let fixture = try await ServerFixture()
        let none = try await fixture.admin(.get, "/v1/nothing")
        #expect(none.status == 404 && none.code == "not_found")
        #expect(none.headers[.contentType] == "application/problem+json")
        #expect(none.json["instance"]?.string == "/v1/nothing")
        let method = try await fixture.admin(.put, "/v1/pushes/a")
        #expect(method.status == 405 && method.headers[.allow] == "DELETE, GET")
    }

    @Test("is in the OpenAPI document, which names only schemas that it has")
    func openAPI() async throws {
        let fixture = try await ServerFixture()
        let answer = try await fixture.send(.get, "/openapi.json")
        #expect(answer.status == 200)
        let document = answer.json
        #expect(document["openapi"]?.string == "3.1.0")
        let paths = try #require(document["paths"])
        var ids: Set<String> = []
        for route in API(fixture.dependencies).routes {
            guard let operation = route.operation else {
                #expect(route.path == "/" || route.path.hasPrefix("/console"))
                continue
            }
            let described = try #require(
                paths[route.path]?[route.method.rawValue.lowercased()],
                "\(route.path)"
            )
            #expect(ids.insert(operation.id).inserted, "\(operation.id) occurs twice")
            #expect(described["responses"]?["default"] != nil)
            let named =
                described["parameters"]?.array?
                .filter { $0["in"]?.string == "path" }.compactMap { $0["name"]?.string } ?? []
            let wanted = route.path.split(separator: "/").filter { $0.hasPrefix("{") }
                .map { String($0.dropFirst().dropLast()) }
            #expect(named == wanted)
        }
        let described = API(fixture.dependencies).routes.filter { $0.operation != nil }
        #expect(paths.members?.count == Set(described.map(\.path)).count)
        for reference in references(document) {
            let parts = reference.split(separator: "/").dropFirst().map(String.init)
            var target: JSONValue? = document
            for part in parts { target = target?[part] }
            #expect(target != nil, "\(reference)")
        }
    }

    private func references(_ value: JSONValue) -> Set<String> {
        var found: Set<String> = []
        for member in value.members ?? [] {
            if member.name == "$ref", let text = member.value.string { found.insert(text) }
            found.formUnion(references(member.value))
        }
        for item in value.array ?? [] { found.formUnion(references(item)) }
        return found
    }
}
