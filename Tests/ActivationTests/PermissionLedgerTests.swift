import BelfryActivation
import BelfryCore
import Testing

@Suite("Permission ledger")
struct PermissionLedgerTests {
    private let t = friday

    @Test("a follow opens one minute and three messages, counted from the event's own time")
    func follow() throws {
        var ledger = PermissionLedger(rules: .wechat2023)
        ledger.record(.follow, at: t, arrived: t + Duration.seconds(30))
        #expect(ledger.opens(at: t)?.remaining == 3)
        #expect(ledger.opens(at: t)?.until == t + Duration.seconds(60))
        for _ in 0..<3 { _ = try ledger.reserve(at: t + Duration.seconds(40)) }
        #expect(throws: NoPermission.self) { _ = try ledger.reserve(at: t + Duration.seconds(41)) }
        #expect(ledger.opens(at: t + Duration.seconds(60)) == nil)
    }

    @Test("a platform clock ahead of ours does not lengthen the window")
    func clockAhead() {
        var ledger = PermissionLedger(rules: .wechat2023)
        ledger.record(.follow, at: t + Duration.seconds(20), arrived: t)
        #expect(ledger.opens(at: t)?.until == t + Duration.seconds(60))
    }

    @Test("a message opens 48 hours and five, a tap on a msgmenu only a menu's minute")
    func messageAndTap() throws {
        let message = try #require(GrantingAction(messageType: "voice"))
        let tap = try #require(GrantingAction(messageType: "text", isMenuTap: true))
        var ledger = PermissionLedger(rules: .wechat2023)
        #expect(ledger.record(message, at: t)?.expires == t + Duration.hours(48))
        var other = PermissionLedger(rules: .wechat2023)
        #expect(other.record(tap, at: t)?.expires == t + Duration.minutes(1))
        #expect(other.opens(at: t)?.remaining == 3)
    }

    @Test(
        "what the platform does not count opens nothing",
        arguments: [
            "VIEW", "LOCATION", "view_miniprogram", "TEMPLATESENDJOBFINISH", "unsubscribe",
            "pic_sysphoto", "", "nonsense",
        ]
    )
    func openNothing(event: String) {
        #expect(GrantingAction(messageType: "event", event: event) == nil)
    }

    @Test("the window that ends first is used first, so that the long one lasts")
    func shortestFirst() throws {
        var ledger = PermissionLedger(rules: .wechat2023)
        ledger.record(.message, at: t)
        ledger.record(.menu, at: t + Duration.seconds(1))
        let sources = try (0..<4).map { _ in
            try ledger.reserve(at: t + Duration.seconds(2)).taken.map(\.source)
        }
        #expect(sources == [["menu"], ["menu"], ["menu"], ["message"]])
    }

    @Test("the cautious setting counts a message against every open window")
    func consumeAll() throws {
        var rules = PermissionRules.wechat2023
        rules.consumption = .all
        var ledger = PermissionLedger(rules: rules)
        ledger.record(.message, at: t)
        ledger.record(.menu, at: t)
        #expect(ledger.opens(at: t)?.remaining == 5)
        let taken = try ledger.reserve(at: t)
        #expect(Set(taken.taken.map(\.source)) == ["menu", "message"])
        #expect(ledger.opens(at: t)?.remaining == 4)
        ledger.release(taken)
        #expect(ledger.opens(at: t)?.remaining == 5)
    }

    @Test("a new action replaces the window of its kind; a duplicate or an overtaken one does not")
    func replaced() throws {
        var ledger = PermissionLedger(rules: .wechat2023)
        ledger.record(.message, at: t)
        for _ in 0..<5 { _ = try ledger.reserve(at: t + Duration.seconds(1)) }
        #expect(ledger.record(.message, at: t) == nil)
        #expect(ledger.record(.message, at: t - Duration.seconds(9)) == nil)
        #expect(ledger.opens(at: t + Duration.seconds(2)) == nil)
        ledger.record(.message, at: t + Duration.seconds(3))
        #expect(ledger.opens(at: t + Duration.seconds(3))?.remaining == 5)
    }

    @Test("an action we hear of late does not give back what was sent after it")
    func lateAction() throws {
        var ledger = PermissionLedger(rules: .wechat2023)
        ledger.record(.message, at: t)
        for _ in 0..<2 { _ = try ledger.reserve(at: t + Duration.seconds(20)) }
        ledger.record(.message, at: t + Duration.seconds(10), arrived: t + Duration.seconds(30))
        #expect(ledger.opens(at: t + Duration.seconds(30))?.remaining == 3)
    }

    @Test("only what was sent after a late action counts against its window")
    func onlyAfter() throws {
        var ledger = PermissionLedger(rules: .wechat2023)
        ledger.record(.message, at: t)
        for _ in 0..<3 { _ = try ledger.reserve(at: t + Duration.seconds(5)) }
        ledger.record(.menu, at: t + Duration.seconds(11))
        // Of the tap's window, which ends first.
        let tapped = try ledger.reserve(at: t + Duration.seconds(12))
        let last = try (0..<3).map { _ in try ledger.reserve(at: t + Duration.seconds(20)) }.last
        ledger.record(.message, at: t + Duration.seconds(10), arrived: t + Duration.seconds(30))
        let now = t + Duration.minutes(2)
        #expect(ledger.opens(at: now)?.remaining == 4)
        // Taken from the window before, given back to the one that it counts against now.
        ledger.release(try #require(last))
        #expect(ledger.opens(at: now)?.remaining == 5)
        ledger.release(tapped)
        #expect(ledger.opens(at: now)?.remaining == 5)
    }

    @Test("no more uses are remembered than a bound, and none that no window reaches back to")
    func boundedUses() throws {
        var rules = PermissionRules.legacy48h
        rules.combination = .add
        var ledger = PermissionLedger(rules: rules)
        for second in 0..<20 { ledger.record(.message, at: t + Duration.seconds(Int64(second))) }
        for _ in 0..<400 { _ = try ledger.reserve(at: t + Duration.seconds(30)) }
        #expect(ledger.uses.count == PermissionLedger.useLimit)
        #expect(Set(ledger.uses.map(\.time)).count == PermissionLedger.useLimit)
        ledger.prune(at: t + Duration.hours(47))
        #expect(ledger.uses.count == PermissionLedger.useLimit)
        ledger.prune(at: t + Duration.hours(49))
        #expect(ledger.uses.isEmpty)
    }

    @Test("'refresh' keeps one window with the larger count and the later end")
    func refresh() throws {
        var rules = PermissionRules.wechat2023
        rules.combination = .refresh
        var ledger = PermissionLedger(rules: rules)
        ledger.record(.message, at: t)
        for _ in 0..<4 { _ = try ledger.reserve(at: t + Duration.seconds(1)) }
        ledger.record(.menu, at: t + Duration.seconds(2))
        let open = try #require(ledger.opens(at: t + Duration.seconds(2)))
        #expect(open == OpenPermission(until: t + Duration.hours(48), remaining: 3))
    }

    @Test("'add' lets every action add its own window, within a bound")
    func add() throws {
        var rules = PermissionRules.wechat2023
        rules.combination = .add
        var ledger = PermissionLedger(rules: rules)
        for second in 0..<1000 { ledger.record(.message, at: t + Duration.seconds(Int64(second))) }
        #expect(ledger.grants.count == PermissionLedger.grantLimit)
        #expect(ledger.record(.message, at: t + Duration.seconds(999)) == nil)
        let open = try #require(ledger.opens(at: t + Duration.seconds(1000)))
        #expect(open.remaining == 5 * PermissionLedger.grantLimit)
    }

    @Test("a released reservation can be used again, but not in a window that came later")
    func release() throws {
        var ledger = PermissionLedger(rules: .wechat2023)
        ledger.record(.follow, at: t)
        let reservation = try ledger.reserve(at: t)
        ledger.release(reservation)
        #expect(ledger.opens(at: t)?.remaining == 3)
        _ = try ledger.reserve(at: t + Duration.seconds(2))
        ledger.record(.follow, at: t + Duration.seconds(5))
        ledger.release(reservation)
        #expect(ledger.opens(at: t + Duration.seconds(5))?.remaining == 3)
    }

    @Test("the platform's answers correct the ledger, and what happened later stays open")
    func corrections() throws {
        var ledger = PermissionLedger(rules: .wechat2023)
        ledger.record(.message, at: t)
        ledger.correct(.windowClosed, at: t + Duration.seconds(1))
        #expect(throws: NoPermission.self) { _ = try ledger.reserve(at: t + Duration.seconds(1)) }
        ledger.record(.message, at: t + Duration.seconds(5))
        ledger.correct(.windowClosed, at: t + Duration.seconds(2))
        #expect(ledger.opens(at: t + Duration.seconds(6))?.remaining == 5)
        ledger.correct(.countUsedUp, at: t + Duration.seconds(7))
        do throws(NoPermission) {
            _ = try ledger.reserve(at: t + Duration.seconds(8))
            Issue.record("still open")
        } catch {
            let end = t + Duration.seconds(5) + Duration.hours(48)
            #expect(error.reason == .countUsedUp(until: end))
            #expect(error.nextPossible.first == .message)
        }
    }

    @Test("whoever unfollows is closed until they come back, in whatever order we hear of it")
    func unfollow() throws {
        var ledger = PermissionLedger(rules: .wechat2023)
        ledger.record(.message, at: t)
        ledger.correct(.unfollowed, at: t + Duration.seconds(10))
        ledger.record(.message, at: t + Duration.seconds(5))
        #expect(ledger.opens(at: t + Duration.seconds(11)) == nil)
        ledger.record(.follow, at: t + Duration.seconds(20))
        #expect(ledger.opens(at: t + Duration.seconds(21))?.remaining == 3)

        var reordered = PermissionLedger(rules: .wechat2023)
        reordered.record(.follow, at: t + Duration.seconds(20))
        reordered.correct(.unfollowed, at: t + Duration.seconds(10))
        #expect(reordered.opens(at: t + Duration.seconds(21))?.remaining == 3)
    }

    @Test("one consent allows one message, consents add up, and a refusal takes them all")
    func consents() throws {
        var ledger = PermissionLedger(rules: .wechat2023)
        ledger.recordConsent(template: "T", at: t)
        ledger.recordConsent(template: "T", at: t)
        #expect(ledger.opens(at: t) == nil)
        let year = t + Duration.days(365)
        _ = try ledger.reserveConsent(template: "T", at: year)
        _ = try ledger.reserveConsent(template: "T", at: year)
        #expect(throws: NoPermission.self) {
            _ = try ledger.reserveConsent(template: "T", at: year)
        }
        ledger.recordConsent(template: "T", at: t, count: 1)
        ledger.record(.message, at: year)
        let consent = try ledger.reserveConsent(template: "T", at: year)
        _ = try ledger.reserve(at: year)
        ledger.release(consent)
        #expect(ledger.opens(at: year)?.remaining == 4)
        _ = try ledger.reserveConsent(template: "T", at: year)
        ledger.recordConsent(template: "T", at: t, count: 3)
        ledger.correct(.refused(template: "T"), at: t)
        #expect(throws: NoPermission.self) {
            _ = try ledger.reserveConsent(template: "T", at: year)
        }
    }

    @Test("the legacy rule opens 48 hours on a follow, 'unlimited' needs no window at all")
    func otherPresets() throws {
        var legacy = PermissionLedger(rules: .legacy48h)
        legacy.record(.follow, at: t)
        #expect(legacy.opens(at: t + Duration.hours(47))?.remaining == 20)
        var unlimited = PermissionLedger(rules: .unlimited)
        _ = try unlimited.reserve(at: t)
        #expect(unlimited.opens(at: t)?.remaining == .some(nil))
    }

    @Test("forgetting ended windows keeps the reason")
    func prune() {
        var ledger = PermissionLedger(rules: .wechat2023)
        ledger.record(.menu, at: t)
        ledger.record(.follow, at: t + Duration.seconds(5))
        ledger.prune(at: t + Duration.hours(1))
        #expect(ledger.grants.map(\.source) == ["follow"])
    }
}
