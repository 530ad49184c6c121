import BelfryCore
import BelfryJournal
import BelfryRecords
import BelfryServer
import BelfryTestSupport
import BelfryWeChatSimulator
import Testing

/// WeChat answers wrongly, late or not at all: what people see, and what the history says.
@Suite("WeChat failing")
struct FailingWeChatTests {
    /// A fault of the first send, how the push must end, and how often its message may be seen.
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var fault: Fault
        var end: Outcome
        var seen: Int
        var code: String?
        var isRetried = false

        var testDescription: String { name }
    }

    static let hold = Duration.seconds(30)
    static let cases: [Case] = [
        Case(name: "HTML with 502", fault: Fault(.html(status: 502)), end: .unknown, seen: 0),
        Case(name: "HTML with 200", fault: Fault(.html(status: 200)), end: .unknown, seen: 0),
        Case(
            name: "HTML with 200, after accepting",
            fault: Fault(.html(status: 200), afterAccepting: true),
            end: .unknown,
            seen: 1
        ),
        Case(
            name: "HTML with 403",
            fault: Fault(.html(status: 403)),
            end: .sent,
            seen: 1,
            isRetried: true
        ),
        Case(name: "hangs", fault: Fault(.hang, hold: hold), end: .unknown, seen: 0),
        Case(
            name: "hangs after accepting",
            fault: Fault(.hang, afterAccepting: true, hold: hold),
            end: .unknown,
            seen: 1
        ),
        Case(name: "resets", fault: Fault(.reset), end: .unknown, seen: 0),
        Case(
            name: "resets after accepting",
            fault: Fault(.reset, afterAccepting: true),
            end: .unknown,
            seen: 1
        ),
        Case(name: "500", fault: Fault(.status(500)), end: .unknown, seen: 0),
        Case(
            name: "503 after accepting",
            fault: Fault(.status(503), afterAccepting: true),
            end: .unknown,
            seen: 1
        ),
        Case(name: "busy", fault: Fault(.busy), end: .sent, seen: 1, isRetried: true),
        Case(
            name: "45015",
            fault: Fault(.refuse(45015)),
            end: .window45015,
            seen: 0,
            code: "45015"
        ),
        Case(
            name: "45047",
            fault: Fault(.refuse(45047)),
            end: .count45047,
            seen: 0,
            code: "45047"
        ),
        Case(name: "43004", fault: Fault(.refuse(43004)), end: .unsubscribed, seen: 0),
        Case(name: "40003", fault: Fault(.refuse(40003)), end: .dead, seen: 0, code: "40003"),
    ]

    private func configure(_ configuration: inout ServerConfiguration) {
        configuration.wechat.timeout = .seconds(2)
        configuration.delivery.attemptsMax = 3
    }

    @Test("ends as it should, with its reason, and is never sent twice", arguments: cases)
    func fault(_ expected: Case) async throws {
        try await World.with(flow: World.greeting(after: 5), configure: configure) { world in
            world.simulator.add(FaultRule(expected.fault, path: World.sendPath))
            var person = ""
            try await world.run { node in
                person = try await world.follower()
                try await world.pass(node)
                let records = try await world.history(node, person)
                #expect(try await world.ends(node, person) == [expected.end])
                let end = try #require(records.last)
                #expect(expected.end == .sent || !end.cause.message.isEmpty)
                if let code = expected.code { #expect(end.cause.code == code) }
                #expect(
                    records.contains { $0.state == .waiting(.retrying) } == expected.isRetried
                )
                #expect(world.simulator.faults.isEmpty)
            }
            try await world.run { try await world.pass($0) }
            #expect(world.seen(person).count == expected.seen)
        }
    }

    @Test(
        "counted against every window, a message that failed is given back to every one",
        arguments: [true, false]
    )
    func allWindows(fails: Bool) async throws {
        func countAgainstAll(_ account: inout AccountRecord) {
            account.rules = .table(#"{"name":"ours","based_on":"wechat-2023","consume":"all"}"#)
        }
        try await World.with(
            flow: World.greeting(after: 5),
            account: countAgainstAll,
            configure: configure
        ) { world in
            if fails { world.simulator.add(FaultRule(Fault(.refuse(40003)), path: World.sendPath)) }
            try await world.run { node in
                let person = try await world.follower()
                try await world.simulator.say("hi", by: person, to: world.appID)
                try await world.pass(node)
                #expect(try await world.ends(node, person) == [fails ? .dead : .sent])
                let record = try #require(
                    try await node.records.people.find(world.recipient(person))
                )
                #expect(Set(record.grants.map(\.source)) == ["follow", "message"])
                #expect(record.grants.allSatisfy { $0.used == (fails ? 0 : 1) })
            }
        }
    }

    @Test("a voided access token is fetched anew, and the message is seen once")
    func token() async throws {
        try await World.with { world in
            try await world.run { node in
                let person = try await world.follower()
                try await world.pass(node, to: world.clock.now() + .seconds(8))
                #expect(world.seen(person).count == 1)
                try world.simulator.voidTokens(of: world.appID)
                try await world.pass(node)
                #expect(world.seen(person).map(\.text) == ["Hello", "Still there?"])
                #expect(try await world.ends(node, person) == [.sent, .sent])
            }
        }
    }

    @Test("a hanging token call is no send: it is tried again")
    func hangingToken() async throws {
        try await World.with(flow: World.greeting(after: 5), configure: configure) { world in
            world.simulator.add(
                FaultRule(Fault(.hang, hold: Self.hold), path: "/cgi-bin/stable_token")
            )
            try await world.run { node in
                let person = try await world.follower()
                try await world.pass(node)
                #expect(world.simulator.faults.isEmpty)
                #expect(world.seen(person).count == 1)
                #expect(try await world.ends(node, person) == [.sent])
            }
        }
    }

    private func retryOnce(_ account: inout AccountRecord) { account.unknownPolicy = .retryOnce }

    @Test(
        "an account that would rather send twice than never tries once more, and then no more",
        arguments: [false, true]
    )
    func ratherTwice(afterAccepting: Bool) async throws {
        try await World.with(
            flow: World.greeting(after: 5),
            account: retryOnce,
            configure: configure
        ) { world in
            let fault = Fault(.hang, afterAccepting: afterAccepting, hold: Self.hold)
            world.simulator.add(FaultRule(fault, .next(2), path: World.sendPath))
            try await world.run { node in
                let person = try await world.follower()
                try await world.pass(node)
                #expect(world.simulator.faults.isEmpty)
                #expect(world.seen(person).count == (afterAccepting ? 2 : 0))
                #expect(try await world.ends(node, person) == [.unknown])
            }
        }
    }

    @Test("a push that fails again and again becomes a dead letter with cause, and can be retried")
    func deadLetter() async throws {
        try await World.with(flow: World.greeting(after: 5), configure: configure) { world in
            world.simulator.add(FaultRule(Fault(.busy), .next(3), path: World.sendPath))
            try await world.run { node in
                let person = try await world.follower()
                try await world.pass(node)
                #expect(try await world.ends(node, person) == [.dead])
                let letters = try await node.records.deadLetters.list().items
                let letter = try #require(letters.first)
                #expect(letters.count == 1)
                #expect(letter.push.id == world.pushID(person))
                #expect(letter.attempts == 3)
                #expect(letter.cause.code == "-1")
                #expect(!letter.cause.message.isEmpty)
                #expect(world.seen(person).isEmpty)
            }
        }
    }

    @Test("a dead letter that somebody can do something about says what")
    func remedy() async throws {
        try await World.with(flow: World.greeting(after: 5)) { world in
            world.simulator.add(FaultRule(Fault(.refuse(40003)), path: World.sendPath))
            try await world.run { node in
                _ = try await world.follower()
                try await world.pass(node)
                let group = try #require(try await node.records.deadLetters.groups().first)
                #expect(group.code == "40003")
                #expect(group.count == 1)
                #expect(!group.cause.remedy.isEmpty)
            }
        }
    }

    @Test("an account that WeChat has stopped is paused and keeps its pushes, over a restart")
    func stopped() async throws {
        try await World.with(flow: World.greeting(after: 5)) { world in
            world.simulator.add(FaultRule(Fault(.refuse(48001)), path: World.sendPath))
            var person = ""
            try await world.run { node in
                person = try await world.follower()
                try await world.pass(node, to: world.clock.now() + .seconds(10))
                try await eventually("the account is paused") {
                    try await node.records.accounts.find(World.account)?.paused != nil
                }
            }
            try await world.run { node in
                let account = try await node.records.accounts.find(World.account)
                #expect(account?.paused?.contains("48001") == true)
                #expect(try await node.timeline.counts().scheduled == 1)
                #expect(world.seen(person).isEmpty)
                try await node.records.accounts.pause(World.account, reason: nil)
                try await node.accounts.reload(World.account)
                try await world.pass(node)
                #expect(world.seen(person).count == 1)
                #expect(try await world.ends(node, person) == [.sent])
            }
        }
    }
}
