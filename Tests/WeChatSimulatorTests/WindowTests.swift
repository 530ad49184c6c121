import Testing

@testable import BelfryWeChatSimulator

@Suite("Windows")
struct WindowTests {
    @Test("today a follow opens one minute and three messages, not 48 hours")
    func follow() async throws {
        let bench = Bench()
        let openID = try await bench.person(.follow())
        for number in 1...3 { #expect(bench.sendText("hello \(number)", to: openID) == 0) }
        #expect(bench.sendText("hello 4", to: openID) == 45_047)
        let other = try await bench.person(.follow())
        bench.clock.advance(milliseconds: 59_999)
        #expect(bench.sendText("just in time", to: other) == 0)
        bench.clock.advance(milliseconds: 1)
        #expect(bench.sendText("too late", to: other) == 45_015)
        #expect(bench.simulator.summary.sentWithoutPermission == 0)
        #expect(bench.simulator.summary.refusedWithoutPermission == 2)
    }

    @Test("the minute counts from the CreateTime, which is in whole seconds")
    func createTime() async throws {
        let bench = Bench()
        bench.clock.advance(milliseconds: 900)
        let openID = try await bench.person(.follow())
        bench.clock.advance(milliseconds: 59_099)
        #expect(bench.sendText("in", to: openID) == 0)
        bench.clock.advance(milliseconds: 1)
        #expect(bench.sendText("out", to: openID) == 45_015)
    }

    @Test("a message that was typed opens 48 hours and five messages")
    func message() async throws {
        let bench = Bench()
        let openID = try await bench.person(.follow(), .say("hi"))
        // Three from the minute, which closes first, then five.
        for number in 1...8 { #expect(bench.sendText("m\(number)", to: openID) == 0) }
        #expect(bench.sendText("m9", to: openID) == 45_047)
        let used = bench.simulator.deliveries(to: openID, of: bench.account.appID).map(\.window)
        #expect(used == [.follow, .follow, .follow] + Array(repeating: .message, count: 5))
        let patient = try await bench.person(.follow(), .say("hi"))
        bench.clock.advance(seconds: 48 * 3600 - 1)
        #expect(bench.sendText("late", to: patient) == 0)
        bench.clock.advance(seconds: 1)
        #expect(bench.sendText("later", to: patient) == 45_015)
    }

    @Test("the tap on a msgmenu entry counts as a menu tap")
    func menuAnswer() async throws {
        let bench = Bench()
        let openID = try await bench.person(.follow())
        bench.clock.advance(seconds: 3600)
        let appID = bench.account.appID
        try await bench.simulator.perform(
            .answerMenu(id: "101", content: "yes"),
            by: openID,
            of: appID
        )
        for number in 1...3 { #expect(bench.sendText("m\(number)", to: openID) == 0) }
        #expect(bench.sendText("m4", to: openID) == 45_047)
        bench.clock.advance(seconds: 60)
        #expect(bench.sendText("m5", to: openID) == 45_015)
    }

    @Test(
        "looking at a page, a mini program or reporting a position opens nothing",
        arguments: [
            Interaction.view(url: "https://example.com"),
            Interaction.viewMiniProgram(path: "pages/index"),
            Interaction.reportPosition(latitude: 31.2, longitude: 121.5),
            Interaction.otherEvent("user_pay_from_pay_cell"),
        ]
    )
    func nothing(_ interaction: Interaction) async throws {
        let bench = Bench()
        let openID = try await bench.person(.follow())
        bench.clock.advance(seconds: 61)
        try await bench.simulator.perform(interaction, by: openID, of: bench.account.appID)
        #expect(bench.sendText("hello", to: openID) == 45_015)
    }

    @Test(
        "each era has its own table",
        arguments: [
            (WindowTable.until2021, UserAction.follow, 20, 48 * 3600),
            (WindowTable.until2021, .menuTap, 20, 48 * 3600),
            (WindowTable.from2021, .follow, 3, 60),
            (WindowTable.from2021, .message, 20, 48 * 3600),
            (WindowTable.current, .message, 5, 48 * 3600),
            (WindowTable.current, .scan, 3, 60),
        ] as [(WindowTable, UserAction, Int, Int64)]
    )
    func eras(_ table: WindowTable, _ action: UserAction, _ count: Int, _ seconds: Int64) throws {
        let rule = try #require(table.rules[action])
        var book = WindowBook()
        book.open(action, rule, createTime: 1000, .shortestFirst)
        #expect(book.use(at: (1000 + seconds) * 1000, .shortestFirst) == .closed)
        for _ in 0..<count {
            #expect(book.use(at: (1000 + seconds) * 1000 - 1, .shortestFirst) == .used(action))
        }
        #expect(book.use(at: (1000 + seconds) * 1000 - 1, .shortestFirst) == .exhausted)
    }

    @Test("a payment opens nothing today, and before 2017 nothing was counted")
    func outerEras() throws {
        #expect(WindowTable.current.rules[.payment] == nil)
        let rule = try #require(WindowTable.uncounted.rules[.menuTap])
        var book = WindowBook()
        book.open(.menuTap, rule, createTime: 0, .shortestFirst)
        for _ in 0..<1000 { #expect(book.use(at: 1, .shortestFirst) == .used(.menuTap)) }
    }

    @Test("how windows combine can be chosen")
    func combinations() {
        func left(_ combination: WindowCombination) -> Int {
            var book = WindowBook()
            book.open(.follow, WindowRule(seconds: 60, messages: 3), createTime: 0, combination)
            book.open(.message, WindowRule(seconds: 600, messages: 5), createTime: 0, combination)
            var sent = 0
            while case .used = book.use(at: 1000, combination) { sent += 1 }
            return sent
        }
        #expect(left(.shortestFirst) == 8)
        #expect(left(.all) == 5)
        #expect(left(.merged) == 5)
    }

    @Test(
        "whoever unfollowed gets 45015 or, where chosen, 43004; a new follow opens a fresh minute"
    )
    func unfollow() async throws {
        for code in [45_015, 43_004] {
            let bench = Bench { $0.unfollowedCode = code }
            let openID = try await bench.person(.follow(), .say("hi"), .unfollow)
            #expect(bench.sendText("hello", to: openID) == Int64(code))
            try await bench.simulator.follow(bench.account.appID, openID: openID)
            for number in 1...3 { #expect(bench.sendText("m\(number)", to: openID) == 0) }
            #expect(bench.sendText("m4", to: openID) == 45_047)
        }
    }

    @Test("an account that only records delivers what has no window, and counts it")
    func record() async throws {
        let bench = Bench { $0.enforcement = .record }
        let openID = try await bench.person(.follow())
        bench.clock.advance(seconds: 61)
        #expect(bench.sendText("hello", to: openID) == 0)
        #expect(bench.simulator.summary.sentWithoutPermission == 1)
        #expect(bench.simulator.deliveries().first?.permitted == false)
    }
}
