import Synchronization

@testable import BelfryWeChatSimulator

/// A clock that stands still until a test moves it; whoever waits on it moves it to the time waited for.
final class TestClock: Sendable {
    private let milliseconds: Mutex<Int64>

    init(_ start: Int64 = 1_780_000_000_000) { milliseconds = Mutex(start) }

    var now: Int64 { milliseconds.withLock { $0 } }

    func set(_ time: Int64) { milliseconds.withLock { $0 = time } }

    func advance(seconds: Int64) { milliseconds.withLock { $0 += seconds * 1000 } }

    func advance(milliseconds step: Int64) { milliseconds.withLock { $0 += step } }

    var simulated: SimulatorClock {
        SimulatorClock(
            now: { self.now },
            sleepUntil: { deadline in self.milliseconds.withLock { $0 = max($0, deadline) } },
            jump: { self.advance(milliseconds: $0) }
        )
    }
}

/// A simulator with one account, called without a network.
struct Bench {
    let clock = TestClock()
    let simulator: WeChatSimulator
    let account: AccountSettings

    /// Always one that lives: some tests go far in time.
    var token: String {
        let call = APICall(
            method: "POST",
            path: "/cgi-bin/stable_token",
            query: [:],
            body: Array(
                #"{"grant_type":"client_credential","appid":"\#(account.appID)","secret":"\#(account.secret)"}"#
                    .utf8
            )
        )
        guard case .json(let value) = simulator.answer(call) else { return "" }
        return value["access_token"]?.string ?? ""
    }

    init(_ change: (inout AccountSettings) -> Void = { _ in }) {
        simulator = WeChatSimulator(clock: clock.simulated, logCapacity: 1000)
        var account = AccountSettings.sample("bench")
        change(&account)
        self.account = account
        simulator.put(account)
    }

    func call(
        _ path: String,
        method: String = "POST",
        query: [String: String] = [:],
        contentType: String = "application/json",
        token: String? = nil,
        raw: [UInt8]
    ) -> APIAnswer {
        var query = query
        query["access_token"] = token ?? self.token
        return simulator.answer(
            APICall(
                method: method,
                path: "/cgi-bin/" + path,
                query: query,
                contentType: contentType,
                body: raw
            )
        )
    }

    func call(
        _ path: String,
        method: String = "POST",
        query: [String: String] = [:],
        token: String? = nil,
        _ body: String = ""
    ) -> JSONValue {
        let answer = call(
            path,
            method: method,
            query: query,
            token: token,
            raw: Array(body.utf8)
        )
        guard case .json(let value) = answer else { return .null }
        return value
    }

    /// The errcode of sending this JSON behind `touser`.
    func send(_ message: String, to openID: String) -> Int64? {
        call("message/custom/send", #"{"touser":"\#(openID)",\#(message)}"#)["errcode"]?.integer
    }

    func sendText(_ text: String, to openID: String) -> Int64? {
        send(#""msgtype":"text","text":{"content":"\#(text)"}"#, to: openID)
    }

    /// Somebody new, who did this.
    func person(_ interactions: Interaction...) async throws -> String {
        let openID = try simulator.newOpenID(account.appID)
        for interaction in interactions {
            try await simulator.perform(interaction, by: openID, of: account.appID)
        }
        return openID
    }
}
