import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Testing

@testable import BelfryWeChatSimulator

/// The simulator over HTTP: faults, the control API and the page.
@Suite("Over HTTP")
struct WireTests {
    private struct Answer {
        var status: Int
        var text: String

        var json: JSONValue { (try? JSONValue.parse(Array(text.utf8))) ?? .null }
    }

    private func request(
        _ method: HTTPMethod,
        _ url: String,
        _ body: String = "",
        origin: String? = nil
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: url)
        request.method = method
        if let origin { request.headers.add(name: "origin", value: origin) }
        if method == .POST { request.body = .bytes(ByteBuffer(string: body)) }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
        let bytes = try await response.body.collect(upTo: 1 << 20)
        return Answer(status: Int(response.status.code), text: String(buffer: bytes))
    }

    /// A bench that listens, with somebody who follows.
    private func serving(
        _ body: (Bench, _ base: String, _ openID: String) async throws -> Void
    ) async throws {
        let bench = Bench()
        let openID = try await bench.person(.follow())
        let server = try await bench.simulator.listen()
        do {
            try await body(bench, server.baseURL, openID)
            await server.stop()
        } catch {
            await server.stop()
            throw error
        }
    }

    private func send(
        _ bench: Bench,
        _ base: String,
        _ openID: String
    ) async throws -> Answer {
        try await request(
            .POST,
            "\(base)/cgi-bin/message/custom/send?access_token=\(bench.token)",
            #"{"touser":"\#(openID)","msgtype":"text","text":{"content":"hi"}}"#
        )
    }

    @Test("a refusal comes with status 200")
    func refusal() async throws {
        try await serving { bench, base, _ in
            let answer = try await send(bench, base, "oNobody")
            #expect(answer.status == 200)
            #expect(answer.json["errcode"] == 40_003)
        }
    }

    @Test("faults strike as often as they were ordered, then all is well")
    func counted() async throws {
        try await serving { bench, base, openID in
            bench.simulator.add(FaultRule(Fault(.busy), .next(2)))
            bench.simulator.add(FaultRule(Fault(.html(status: 200))))
            bench.simulator.add(FaultRule(Fault(.status(502), afterAccepting: true)))
            bench.simulator.add(FaultRule(Fault(.slow(.milliseconds(1)))))
            #expect(try await send(bench, base, openID).json["errcode"] == -1)
            #expect(try await send(bench, base, openID).json["errcode"] == -1)
            let html = try await send(bench, base, openID)
            #expect(html.status == 200 && html.text.hasPrefix("<html>"))
            #expect(bench.simulator.count == 0)
            #expect(try await send(bench, base, openID).status == 502)
            // The proxy failed, but the message had gone through.
            #expect(bench.simulator.count == 1)
            #expect(try await send(bench, base, openID).json["errcode"] == 0)
            #expect(try await send(bench, base, openID).json["errcode"] == 0)
            #expect(bench.simulator.count == 3)
        }
    }

    @Test("a call may hang, or be reset, before or after the message was delivered")
    func silence() async throws {
        for accepted in [false, true] {
            for kind in [Fault.Kind.hang, .reset] {
                try await serving { bench, base, openID in
                    let fault = Fault(
                        kind,
                        afterAccepting: accepted,
                        hold: .milliseconds(10)
                    )
                    bench.simulator.add(FaultRule(fault))
                    await #expect(throws: (any Error).self) {
                        try await send(bench, base, openID)
                    }
                    #expect(bench.simulator.count == (accepted ? 1 : 0))
                }
            }
        }
    }

    @Test("a fault may be for one path or account only")
    func aimed() async throws {
        try await serving { bench, base, openID in
            let path = "/cgi-bin/message/custom/typing"
            bench.simulator.add(FaultRule(Fault(.busy), path: path))
            bench.simulator.add(FaultRule(Fault(.busy), appID: "wxother"))
            bench.simulator.add(FaultRule(Fault(.busy), .probability(0)))
            let answer = try await send(bench, base, openID)
            #expect(answer.json["errcode"] == 0)
            #expect(bench.simulator.faults.count == 3)
        }
    }

    @Test("a shell can play: accounts, people, faults, time and the log")
    func control() async throws {
        try await serving { bench, base, openID in
            func post(_ verb: String, _ body: String = "") async throws -> JSONValue {
                try await request(.POST, "\(base)/_sim/\(verb)", body).json
            }
            let followed = try await post("follow")
            let person = try #require(followed["openid"]?.string)
            #expect(followed["outcome"] == "not_pushed")
            #expect(try await post("say", #"{"openid":"\#(person)","text":"hi"}"#)["msgid"] != nil)
            #expect(try await post("clock", #"{"seconds":61}"#)["now"]?.integer == bench.clock.now)
            #expect(try await send(bench, base, openID).json["errcode"] == 45_015)
            #expect(try await send(bench, base, person).json["errcode"] == 0)
            let log = try await request(.GET, "\(base)/_sim/log").json.array ?? []
            #expect(log.map { $0["content"]?["content"] } == ["hi"])
            #expect(log.map { $0["window"] } == ["message"])
            let summary = try await request(.GET, "\(base)/_sim/summary").json
            #expect(summary["refused_by_code"] == ["45015": 1])
            _ = try await post("fault", #"{"kind":"busy","next":1}"#)
            #expect(try await send(bench, base, person).json["errcode"] == -1)
            let made = try await post("account", #"{"name":"second","mode":"compat"}"#)
            #expect(made["mode"] == "compat")
            #expect(bench.simulator.accounts.count == 2)
            #expect(try await post("follow")["error"] == #"say which account: "appid""#)
            #expect(try await post("dance", #"{"appid":"x","openid":"o"}"#)["error"] != nil)
            #expect(try await post("account", #"{"mode":"open"}"#)["error"] != nil)
            #expect(try await post("say", "{")["error"] == "the body is not JSON")
        }
    }

    @Test("the page is served; pages of elsewhere may not play")
    func page() async throws {
        try await serving { bench, base, _ in
            let page = try await request(.GET, base + "/")
            #expect(page.status == 200)
            #expect(page.text.contains("<title>WeChat simulator</title>"))
            #expect(!page.text.contains("src=\"http"))
            let foreign = try await request(
                .POST,
                "\(base)/_sim/follow",
                origin: "http://evil.example"
            )
            #expect(foreign.status == 403)
            let own = try await request(.POST, "\(base)/_sim/follow", origin: base)
            #expect(own.json["openid"] != nil)
            #expect(try await request(.GET, base + "/other").status == 404)
        }
    }

    @Test("a port that is taken is an error")
    func portTaken() async throws {
        try await serving { bench, base, _ in
            let port = try #require(base.split(separator: ":").last.flatMap { Int($0) })
            await #expect(throws: (any Error).self) {
                _ = try await WeChatSimulator(clock: bench.clock.simulated).listen(port: port)
            }
        }
    }
}
