import BelfryCore
import BelfryWeChat
import Testing

@Suite("The table of error codes")
struct ErrorTableTests {
    /// Written down by hand from WeChat's pages, with what each asks for.
    private static let documented: [(act: String, codes: [Int])] = [
        ("retry", [-1, 45011, 61005, 61006]),
        ("token", [40001, 40014, 42001]),
        ("reupload", [40007]),
        ("ledger", [43004, 43101, 45015, 45047, 48002, 50005]),
        (
            "giveUp",
            [
                40003, 40036, 40037, 40200, 40241, 43019, 43116, 43117, 45072, 45080, 45081, 45162,
                45166, 45168, 48008, 50001, 61009, 61010, 70000,
            ]
        ),
        (
            "stop",
            [
                40013, 40125, 40164, 40243, 42007, 43106, 45094, 45009, 45087, 45093, 48001, 48004,
                48006, 50002, 61003, 61007, 61004, 61011, 61023, 89503, 89506, 89507,
            ]
        ),
        (
            "fix",
            [
                40004, 40005, 40006, 40008, 40033, 40165, 41001, 41002, 41004, 41030, 43002, 43003,
                44002, 44004, 45002, 45003, 45004, 45005, 45006, 45007, 45008, 45048, 45050, 45098,
                45099, 45157, 45158, 45159, 47001, 47002, 47003, 61014,
            ]
        ),
        // Seen by users, or named outside the list of codes.
        ("fix", [40002, 41005, 43001, 44003, 53600, 61451, 61452]),
    ]

    private static func name(_ action: WeChatErrorRule.Action) -> String {
        switch action {
        case .retry: "retry"
        case .refreshToken: "token"
        case .reupload: "reupload"
        case .correctLedger: "ledger"
        case .giveUp: "giveUp"
        case .stopAccount: "stop"
        case .fixProgram: "fix"
        }
    }

    @Test("every documented code has its line, and no line is without a documented code")
    func complete() {
        var codes: Set<Int> = []
        for (act, group) in Self.documented {
            for code in group {
                codes.insert(code)
                #expect(WeChatErrorTable.knows(code), "\(code)")
                #expect(Self.name(WeChatErrorTable.rule(for: code).action) == act, "\(code)")
            }
        }
        #expect(Set(WeChatErrorTable.rules.flatMap(\.codes)) == codes)
    }

    @Test("every line explains itself in plain words")
    func words() {
        for rule in WeChatErrorTable.rules {
            #expect(!rule.cause.isEmpty && !rule.codes.isEmpty)
            switch rule.action {
            case .stopAccount, .fixProgram, .reupload:
                #expect(!rule.remedy.isEmpty, "\(rule.codes) says nothing to the operator")
            case .retry, .refreshToken, .correctLedger, .giveUp: break
            }
        }
    }

    @Test("the ledger learns the right thing, and the push ends with the right word")
    func ledger() {
        let expected: [Int: (WeChatErrorRule.Correction, Outcome)] = [
            45015: (.windowClosed, .window45015), 45047: (.countUsed, .count45047),
            43101: (.refused, .refused43101), 48002: (.refused, .refused43101),
            43004: (.unfollowed, .unsubscribed), 50005: (.unfollowed, .unsubscribed),
        ]
        for (code, (correction, outcome)) in expected {
            let rule = WeChatErrorTable.rule(for: code)
            #expect(rule.action == .correctLedger(correction))
            #expect(rule.outcome == outcome)
        }
        #expect(WeChatErrorTable.rule(for: 45009).outcome == .quotaDay)
    }

    @Test("a code from the future is given up with a hint, never retried for ever")
    func unknown() {
        #expect(!WeChatErrorTable.knows(12345))
        let rule = WeChatErrorTable.rule(for: 12345)
        #expect(rule.action == .giveUp)
        #expect(rule.cause.contains("12345"))
    }
}
