import BelfryCore
import BelfryRecords
import BelfryServer
import BelfrySimulation
import Hummingbird
import HummingbirdTesting
import Testing

@Suite("The console's pages")
struct ConsolePagesTests {
    private let hostile = "o\"><script>alert(1)</script>\"\u{301} onx='"

    private func seed(_ fixture: ServerFixture) async throws {
        let records = fixture.dependencies.records
        let now = fixture.clock.now()
        let recipient = Recipient(account: "shop", person: hostile)
        try await records.accounts.save(AccountRecord(key: "shop", kind: .wechat))
        try await records.people.update(recipient) { person in
            person.nickname = "<b>\u{202E}evil"
            person.tags = ["<i>"]
            person.grants = [
                Grant(
                    source: "message",
                    granted: now,
                    expires: now + .hours(1),
                    quota: 5,
                    used: 1,
                    rule: "wechat-2023"
                )
            ]
        }
        _ = try await records.deliveries.append([
            DeliveryRecord(
                push: "p",
                sequence: 1,
                attempt: 0,
                recipient: recipient,
                flow: "<flow>",
                step: nil,
                channel: "wechat",
                due: now,
                at: now,
                state: .ended(.dead),
                cause: SendCause(code: "x", message: "<img src=x>", remedy: "\"quoted\"")
            )
        ])
    }

    @Test("show what came from outside as text, whatever it tries")
    func escaping() async throws {
        let fixture = try await ServerFixture(auth: .loopbackOpen)
        try await seed(fixture)
        let path = "/console/people/shop/" + (hostile.addingPercentEncoding() ?? "")
        for uri in ["/console", "/console/people", path] {
            let page = try await fixture.send(.get, uri)
            #expect(page.status == 200, "\(uri)")
            #expect(page.text.contains("&lt;"))
            for bad in [
                "<script>alert", "<img src", "<b>", "<i>", "<flow>", "\"\u{301}", "\u{202E}",
            ] {
                #expect(!page.text.unicodeScalars.contains(bad.unicodeScalars), "\(bad) in \(uri)")
            }
            let policy = page.headers[.contentSecurityPolicy] ?? ""
            #expect(policy.contains("default-src 'none'") && !policy.contains("unsafe"))
        }
        let person = try await fixture.send(.get, path + "?lang=en")
        #expect(person.text.contains("<dd>shop</dd>") && !person.text.contains("Older"))
        let search = try await fixture.send(.get, "/console/people?q=%22%3E%3Cscript%3E")
        #expect(!search.text.contains("<script>") || search.text.contains("&lt;script&gt;"))
    }

    @Test("use nothing from elsewhere")
    func noExternalFiles() async throws {
        let fixture = try await ServerFixture(auth: .loopbackOpen)
        try await seed(fixture)
        for uri in ["/console", "/console/assets/console.css", "/console/assets/console.js"] {
            let text = try await fixture.send(.get, uri).text
            let withoutNamespace = text.replacing("http://www.w3.org/2000/svg", with: "")
            #expect(!withoutNamespace.contains("http://") && !withoutNamespace.contains("https://"))
        }
    }

    @Test("sign in with a key and a cookie that scripts and other sites cannot use")
    func login() async throws {
        let fixture = try await ServerFixture()
        let app = fixture.dependencies
        let session = try await buildApplication(app).testSession { client in
            let wrong = try await client.post("/console/login", "key=bfy_nonsense")
            #expect(wrong.status == 401)
            let right = try await client.post("/console/login", "key=\(fixture.adminKey.text)")
            #expect(right.status == 303)
            let cookie = try #require(right.headers[.setCookie])
            #expect(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"))
            let value = String(cookie.split(separator: ";")[0])
            let page = try await client.get("/console", [.cookie: value])
            #expect(page.status == 200)
            let foreign = try await client.post(
                "/console/simulate-follow",
                "",
                [.cookie: value, .origin: "https://evil.example"]
            )
            #expect(foreign.status == 403)
            _ = try await client.post("/console/logout", "", [.cookie: value])
            return try await client.get("/console", [.cookie: value])
        }
        #expect(session.status == 303)
    }

    @Test("speak Chinese and English")
    func languages() async throws {
        let fixture = try await ServerFixture(auth: .loopbackOpen)
        let chinese = try await fixture.send(
            .get,
            "/console",
            headers: [.acceptLanguage: "zh-CN,zh;q=0.9,en;q=0.5"]
        )
        #expect(chinese.text.contains("当前到期") && chinese.text.contains("lang=\"zh-CN\""))
        let chosen = try await fixture.send(.get, "/console?lang=en")
        #expect(chosen.text.contains("Due now"))
        #expect(chosen.headers[.setCookie]?.hasPrefix("belfry_lang=en") == true)
    }

    @Test("tell an empty list from one that nothing matches and from one that cannot be read")
    func emptyStates() async throws {
        let fixture = try await ServerFixture(auth: .loopbackOpen)
        let nothing = try await fixture.send(.get, "/console?lang=en")
        #expect(nothing.text.contains("Nothing has been sent yet"))
        let filtered = try await fixture.send(.get, "/console?lang=en&state=dead")
        #expect(filtered.text.contains("Nothing matches"))
        await fixture.dependencies.records.close()
        let down = try await fixture.send(.get, "/console?lang=en")
        #expect(down.status == 200 && down.text.contains("The records cannot be read"))
    }

    @Test(
        "have buttons that simulate things only in a demonstration",
        arguments: Demonstration.Act.allCases
    )
    func simulate(act: Demonstration.Act) async throws {
        var fixture = try await ServerFixture(auth: .loopbackOpen)
        let path = "/console/\(act.rawValue)"
        #expect(try await fixture.send(.post, path).status == 404)
        #expect(!(try await fixture.send(.get, "/console").text.contains(path)))
        let (acts, begun) = AsyncStream.makeStream(of: Demonstration.Act.self)
        fixture.dependencies.demonstration = Demonstration { begun.yield($0) }
        #expect(try await fixture.send(.post, path).status == 202)
        #expect(await acts.first { _ in true } == act)
        #expect(try await fixture.send(.get, "/console").text.contains(path))
    }
}

extension String {
    fileprivate func addingPercentEncoding() -> String? {
        utf8.map { "%" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
