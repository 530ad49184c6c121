import BelfryCore
import BelfryWeChat
import BelfryWeChatSimulator
import Testing

@Suite("Callbacks of the simulated WeChat")
struct CallbackIntegrationTests {
    private static let setups: [(AccountSettings.Mode, AccountSettings.BodyFormat)] = [
        (.plain, .xml), (.plain, .json), (.compat, .xml), (.compat, .json), (.safe, .xml),
        (.safe, .json),
    ]

    private func codec(_ account: AccountSettings, keys: [String]) throws -> WeChatCallback {
        let mode = try #require(WeChatCallback.Mode(rawValue: account.mode.rawValue))
        return WeChatCallback(
            .init(
                token: account.token,
                mode: mode,
                keys: try keys.map { try EncodingAESKey($0) },
                tailID: account.appID
            )
        )
    }

    @Test(
        "in every mode and format callbacks are believed, understood and answered",
        arguments: setups
    )
    func modes(mode: AccountSettings.Mode, format: AccountSettings.BodyFormat) async throws {
        var settings = AccountSettings.sample("modes")
        settings.mode = mode
        settings.bodyFormat = format
        let account = settings
        let simulator = WeChatSimulator()
        let words = "你好 ]]> <b>&amp; 😀"
        let codec = try codec(account, keys: [account.encodingAESKey])
        let endpoint = CallbackEndpoint(codec) { inbound in
            if case .message = inbound { .text("echo \(words)") } else { nil }
        }
        try await endpoint.serve { url in
            var account = account
            account.callbackURL = url
            simulator.put(account)
            let appID = account.appID
            let verified = try await simulator.verifyCallback(of: appID)
            #expect(verified == .passed)
            let person = try simulator.newOpenID(appID)
            let follow = try await simulator.perform(
                .follow(scene: "shop|7"),
                by: person,
                of: appID
            )
            #expect(follow.outcome == .acknowledged)
            let said = try await simulator.perform(.say(words), by: person, of: appID)
            #expect(said.outcome == .replied("text"))
            #expect(simulator.deliveries().map(\.text) == ["echo \(words)"])
            let scan = try await simulator.perform(
                .scanCode(key: "k", result: "r", waits: true),
                by: person,
                of: appID
            )
            #expect(scan.outcome == .acknowledged)
            _ = try await simulator.perform(.unfollow, by: person, of: appID)
            let heads = endpoint.received.map(\.head)
            #expect(heads.allSatisfy { $0.openID == person && $0.account == account.originalID })
        }
        #expect(endpoint.refused.isEmpty)
        let received = endpoint.received
        try #require(received.count == 4)
        guard case .event(let follow) = received[0], case .message(let message) = received[1],
            case .event(let scan) = received[2], case .event(let unfollow) = received[3]
        else {
            Issue.record("\(received)")
            return
        }
        #expect(follow.content == .follow(scene: "shop|7", ticket: "ticket-of-shop|7"))
        #expect(message.content == .text(words, menuID: nil))
        #expect(!message.id.isEmpty)
        #expect(scan.content == .menuScan(waits: true, type: "qrcode", result: "r"))
        #expect(unfollow.content == .unfollow)
    }

    @Test("while the key changes, callbacks under the old and the new key are both read")
    func rotation() async throws {
        let old = AccountSettings.sample("rotation")
        var changed = old
        changed.encodingAESKey = AccountSettings.sample("another").encodingAESKey
        let new = changed
        let simulator = WeChatSimulator()
        let codec = try codec(old, keys: [new.encodingAESKey, old.encodingAESKey])
        let endpoint = CallbackEndpoint(codec) { _ in .text("ok") }
        try await endpoint.serve { url in
            for var account in [old, new] {
                account.callbackURL = url
                simulator.put(account)
                let report = try await simulator.follow(account.appID)
                #expect(report.outcome == .replied("text"))
            }
        }
        #expect(endpoint.refused.isEmpty)
    }

    @Test("another token or key refuses every callback, and says why")
    func wrongSecrets() async throws {
        var settings = AccountSettings.sample("wrong")
        settings.attempts = 1
        let account = settings
        let simulator = WeChatSimulator()
        var other = account
        other.token = "another"
        let right = try codec(account, keys: [account.encodingAESKey])
        let badToken = try codec(other, keys: [account.encodingAESKey])
        let badKey = try codec(
            account,
            keys: [AccountSettings.sample("another").encodingAESKey]
        )
        let endpoint = CallbackEndpoint(badToken) { _ in nil }
        try await endpoint.serve { url in
            var account = account
            account.callbackURL = url
            simulator.put(account)
            let appID = account.appID
            let verified = try await simulator.verifyCallback(of: appID)
            #expect(verified != .passed)
            let first = try await simulator.follow(appID)
            #expect(!first.isAnswered)
            endpoint.use(badKey)
            let second = try await simulator.follow(appID)
            #expect(!second.isAnswered)
            endpoint.use(right)
            let third = try await simulator.follow(appID)
            #expect(third.isAnswered)
        }
        #expect(endpoint.refused.map(\.code) == [.badSignature, .badSignature, .badCiphertext])
        #expect(endpoint.received.count == 1)
    }
}
