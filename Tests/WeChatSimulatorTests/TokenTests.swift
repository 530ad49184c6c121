import Testing

@testable import BelfryWeChatSimulator

@Suite("Access tokens")
struct TokenTests {
    private let bench = Bench()

    private func fetch(_ change: (inout [String: String]) -> Void = { _ in }) -> JSONValue {
        var query = [
            "grant_type": "client_credential", "appid": bench.account.appID,
            "secret": bench.account.secret,
        ]
        change(&query)
        let call = APICall(method: "GET", path: "/cgi-bin/token", query: query)
        guard case .json(let value) = bench.simulator.answer(call) else { return .null }
        return value
    }

    private func fetchStable(force: Bool = false, address: String = "127.0.0.1") -> JSONValue {
        let body: JSONValue = [
            "grant_type": "client_credential", "appid": .string(bench.account.appID),
            "secret": .string(bench.account.secret), "force_refresh": .bool(force),
        ]
        let call = APICall(
            method: "POST",
            path: "/cgi-bin/stable_token",
            query: [:],
            body: Array(body.text.utf8),
            address: address
        )
        guard case .json(let value) = bench.simulator.answer(call) else { return .null }
        return value
    }

    /// The errcode of a call with this token that would else be in order.
    private func use(_ token: JSONValue) -> Int64? {
        bench.call(
            "openapi/quota/get",
            token: token["access_token"]?.string ?? "",
            #"{"cgi_path":"/cgi-bin/message/custom/send"}"#
        )["errcode"]?.integer
    }

    @Test("each classic fetch gives a new token; the old one works for five more minutes")
    func classic() {
        let first = fetch()
        #expect(first["expires_in"] == 7200)
        let second = fetch()
        #expect(first["access_token"] != second["access_token"])
        #expect(use(first) == 0)
        bench.clock.advance(seconds: 300)
        #expect(use(first) == 40_001)
        #expect(use(second) == 0)
        bench.clock.advance(seconds: 6900)
        #expect(use(second) == 42_001)
    }

    @Test("the stable token stays the same, and is renewed in its last five minutes")
    func stable() {
        let first = fetchStable()
        bench.clock.advance(seconds: 6000)
        let same = fetchStable()
        #expect(same["access_token"] == first["access_token"])
        #expect(same["expires_in"] == 1200)
        // The classic call does not touch it.
        _ = fetch()
        bench.clock.advance(seconds: 900)
        let renewed = fetchStable()
        #expect(renewed["access_token"] != first["access_token"])
        #expect(renewed["expires_in"] == 7200)
        #expect(use(first) == 0)
        bench.clock.advance(seconds: 300)
        #expect(use(first) == 42_001)
        #expect(use(renewed) == 0)
    }

    @Test("a forced refresh kills the old token, works every 30 s and 20 times a day")
    func forced() {
        // Noon in China, so that the day does not end in between.
        bench.clock.set(1_780_027_200_000 + 28_800_000)
        let first = fetchStable()
        let second = fetchStable(force: true)
        #expect(use(first) == 40_001)
        #expect(use(second) == 0)
        bench.clock.advance(seconds: 29)
        #expect(fetchStable(force: true)["access_token"] == second["access_token"])
        for _ in 2...20 {
            bench.clock.advance(seconds: 30)
            #expect(fetchStable(force: true)["expires_in"] == 7200)
        }
        bench.clock.advance(seconds: 30)
        #expect(fetchStable(force: true)["errcode"] == 45_009)
        bench.clock.advance(seconds: 86_400)
        #expect(fetchStable(force: true)["expires_in"] == 7200)
    }

    @Test("wrong, missing and foreign credentials have their own codes")
    func credentials() {
        #expect(fetch { $0["appid"] = "wx0" }["errcode"] == 40_013)
        #expect(fetch { $0["secret"] = "no" }["errcode"] == 40_125)
        #expect(fetch { $0["appid"] = nil }["errcode"] == 41_002)
        #expect(fetch { $0["secret"] = nil }["errcode"] == 41_004)
        #expect(fetch { $0["grant_type"] = "x" }["errcode"] == 40_002)
        #expect(use(["access_token": ""]) == 41_001)
        #expect(use(["access_token": "short"]) == 40_014)
        let foreign = String(repeating: "x", count: 136)
        #expect(use(["access_token": .string(foreign)]) == 40_001)
        #expect(use(["access_token": .string("1_" + foreign)]) == 40_001)
    }

    @Test("an address that is not on the whitelist gets no token, and reads which it was")
    func whitelist() {
        var account = bench.account
        account.allowedIPs = ["10.0.0.1"]
        bench.simulator.put(account)
        let refused = fetchStable(address: "10.0.0.2")
        #expect(refused["errcode"] == 40_164)
        #expect(refused["errmsg"]?.string?.contains("invalid ip 10.0.0.2 ") == true)
        #expect(fetchStable(address: "10.0.0.1")["expires_in"] == 7200)
    }

    @Test("every errmsg ends with a request id")
    func requestID() {
        let message = fetch { $0["appid"] = "wx0" }["errmsg"]?.string ?? ""
        #expect(message.contains(#/ rid: [0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}$/#))
    }

    @Test("quotas end with 45009 and 45011, begin anew at midnight in China, and can be cleared")
    func quotas() async throws {
        let bench = Bench {
            $0.dailyLimits["/cgi-bin/message/custom/send"] = 3
            $0.sendsPerMinute = 2
        }
        bench.clock.set(1_780_027_200_000 + 28_800_000)
        let openID = try await bench.person(.follow(), .say("hi"))
        #expect(bench.sendText("1", to: openID) == 0)
        #expect(bench.sendText("2", to: openID) == 0)
        #expect(bench.sendText("3", to: openID) == 45_011)
        bench.clock.advance(seconds: 60)
        #expect(bench.sendText("4", to: openID) == 0)
        bench.clock.advance(seconds: 60)
        #expect(bench.sendText("5", to: openID) == 45_009)
        let path = #"{"cgi_path":"/cgi-bin/message/custom/send"}"#
        #expect(bench.call("openapi/quota/get", path)["quota"]?["remain"] == 0)
        let clear = #"{"appid":"\#(bench.account.appID)"}"#
        #expect(bench.call("clear_quota", clear)["errcode"] == 0)
        #expect(bench.sendText("6", to: openID) == 0)
        for _ in 2...10 { #expect(bench.call("clear_quota", clear)["errcode"] == 0) }
        #expect(bench.call("clear_quota", clear)["errcode"] == 48_006)
        bench.clock.advance(seconds: 86_400)
        #expect(bench.call("openapi/quota/get", path)["quota"]?["used"] == 0)
    }
}
