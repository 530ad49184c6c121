import BelfryCore
import BelfryJournal
import BelfryRecords
import BelfryServer
import BelfryTestSupport
import BelfryWeChatSimulator
import Testing

/// From a step without permission to the template message or notification that the person sees instead.
@Suite("Fallback channels")
struct FallbackTests {
    private static let templatePath = "/cgi-bin/message/template/send"

    /// One step an hour after the follow, when its window has long closed.
    private static func flow(_ otherwise: String, steps: Int = 1) -> String {
        """
        key: hello
        trigger: follow
        steps:

        """
            + (1...steps).map {
                """
                  - id: step\($0)
                    after: 1h
                    text: Hello
                    otherwise: { \(otherwise) }

                """
            }.joined()
    }

    private static let template = flow(
        "template: { template_id: T1, data: { thing1: \"{{nickname|朋友}}，你好\" } }"
    )
    private static let subscribe = flow(
        "subscribe: { template_id: T1, data: { thing1: 到点了 } }",
        steps: 2
    )

    private func notices(_ world: World, _ person: String) -> [Delivery] {
        world.simulator.deliveries(to: person, of: world.appID).filter {
            $0.kind == .template || $0.kind == .subscribe
        }
    }

    private func change(_ world: World, _ change: (inout AccountSettings) -> Void) throws {
        var settings = try world.simulator.account(world.appID)
        change(&settings)
        world.simulator.put(settings)
    }

    private func answer(_ world: World, _ person: String, _ interaction: Interaction) async throws {
        try await world.simulator.perform(interaction, by: person, of: world.appID)
    }

    /// The one end of a person's only push.
    private func end(_ node: BelfryNode, _ world: World, _ person: String) async throws
        -> DeliveryRecord
    {
        let ends = try await world.history(node, person).filter {
            if case .ended = $0.state { true } else { false }
        }
        #expect(ends.count == 1)
        return try #require(ends.first)
    }

    @Test("follow, the window over: the template message goes out, and the history says why")
    func template() async throws {
        try await World.with(flow: Self.template) { world in
            try await world.run { node in
                try change(world) { $0.holdsReports = true }
                let person = try await world.follower()
                try await world.pass(node)
                let seen = notices(world, person)
                #expect(seen.map(\.values) == [["thing1": "朋友，你好"]])
                #expect(world.seen(person).isEmpty)
                #expect(world.simulator.refusals().isEmpty)

                var end = try await end(node, world, person)
                #expect(end.state == .ended(.sent) && end.channel == "template")
                #expect(end.cause.code == "fell_back")
                #expect(end.cause.message.contains("the last window has closed"))
                let id = try #require(end.reference.flatMap { Int64($0) })
                #expect(id > 1 << 53)

                let reports = try await world.simulator.reportNotices(of: world.appID)
                #expect(reports.map(\.isAnswered) == [true])
                end = try await self.end(node, world, person)
                #expect(end.state == .ended(.sent) && end.cause.code == "delivered")
                #expect(end.cause.message.contains("the last window has closed"))
            }
        }
    }

    @Test(
        "what WeChat tells later takes the place of the end, whether the report names the message or not",
        arguments: [
            (NoticeResult.success, Outcome.sent), (.userBlock, .refused43101),
            (.systemFailed, .dead),
        ],
        [true, false]
    )
    func reported(_ told: (NoticeResult, Outcome), _ isNamed: Bool) async throws {
        try await World.with(flow: Self.template) { world in
            try await world.run { node in
                // Told at once: the report races with our own record of the message.
                try change(world) {
                    $0.noticeResult = told.0
                    $0.reportsNamedIDs = isNamed
                }
                let person = try await world.follower()
                try await world.pass(node)
                try await eventually("the report is noted") {
                    try await end(node, world, person).cause.code != "fell_back"
                }
                #expect(try await end(node, world, person).state == .ended(told.1))
                let total = try await node.records.counters.total(
                    account: World.account,
                    from: world.clock.now() - .hours(2),
                    to: world.clock.now() + .hours(2),
                    bucket: .hour
                )
                #expect(total[.ended(told.1)] == 1)
                #expect(total.sent == (told.1 == .sent ? 1 : 0))
            }
        }
    }

    @Test("one consent pays for one notification; the second is refused before the call")
    func consent() async throws {
        try await World.with(flow: Self.subscribe) { world in
            try await world.run { node in
                let person = try await world.follower()
                try await answer(world, person, .answerConsent([ConsentAnswer("T1")]))
                try await world.pass(node)
                #expect(notices(world, person).map(\.kind) == [.subscribe])
                #expect(world.simulator.refusals().isEmpty)
                #expect(try await world.ends(node, person) == [.sent, .noGrant])
                let last = try #require(try await world.history(node, person).last)
                #expect(last.cause.message.contains("no consent is left for template T1"))
            }
        }
    }

    @Test("a no in the dialogue is no consent, and a withdrawal ends those there are")
    func withdrawn() async throws {
        try await World.with(flow: Self.subscribe) { world in
            try await world.run { node in
                let person = try await world.follower()
                try await answer(
                    world,
                    person,
                    .answerConsent([ConsentAnswer("T1"), ConsentAnswer("T2", accepted: false)])
                )
                let grants = try await node.records.people.find(world.recipient(person))?.grants
                #expect(grants?.map(\.source) == ["follow", "consent:T1"])
                try await answer(world, person, .withdrawConsent(["T1", "T2"]))
                try await world.pass(node)
                #expect(notices(world, person).isEmpty)
                #expect(world.simulator.refusals().isEmpty)
                #expect(try await world.ends(node, person) == [.noGrant, .noGrant])
            }
        }
    }

    @Test("43101 corrects the ledger: nothing more is tried for that template")
    func corrected() async throws {
        try await World.with(flow: Self.subscribe) { world in
            try await world.run { node in
                let person = try await world.follower()
                let accept = Interaction.answerConsent([ConsentAnswer("T1")])
                try await answer(world, person, accept)
                try await answer(world, person, accept)
                // Withdrawn, and we are never told.
                try world.simulator.holdCallbacks(of: world.appID)
                try await answer(world, person, .withdrawConsent(["T1"]))
                try await world.pass(node)
                #expect(world.simulator.refusals().map(\.code) == [43101])
                #expect(try await world.ends(node, person) == [.refused43101, .noGrant])
                let grants = try await node.records.people.find(world.recipient(person))?.grants
                #expect(grants?.contains { $0.source == "consent:T1" } == false)
            }
        }
    }

    @Test("43004 ends the flow of who has left unnoticed")
    func left() async throws {
        try await World.with(flow: Self.template) { world in
            try await world.run { node in
                let person = try await world.follower()
                try world.simulator.holdCallbacks(of: world.appID)
                try await world.simulator.unfollow(world.appID, openID: person)
                try await world.pass(node)
                #expect(world.simulator.refusals().map(\.code) == [43004])
                #expect(try await world.ends(node, person) == [.unsubscribed])
                let known = try await node.records.people.find(world.recipient(person))
                #expect(known?.subscribed == false)
            }
        }
    }

    @Test(
        "a template message whose answer is lost is repeated, and seen once",
        arguments: [true, false]
    )
    func repeated(_ isAccepted: Bool) async throws {
        try await World.with(flow: Self.template) { world in
            try await world.run { node in
                world.simulator.add(
                    FaultRule(
                        Fault(.html(status: 502), afterAccepting: isAccepted),
                        .next(2),
                        path: Self.templatePath
                    )
                )
                let person = try await world.follower()
                try await world.pass(node)
                #expect(world.simulator.faults.isEmpty)
                #expect(notices(world, person).count == 1)
                let end = try await end(node, world, person)
                #expect(end.state == .ended(.sent) && end.attempt == 2)
                #expect(end.reference != nil)
            }
        }
    }

    @Test(
        "a template message that may have been sent before a crash is repeated while WeChat would know it",
        arguments: [(Duration.minutes(8), Outcome.sent, 1), (.minutes(10), .unknown, 0)]
    )
    func crashed(_ later: Duration, _ outcome: Outcome, _ seen: Int) async throws {
        try await World.with(flow: Self.template) { world in
            var person = ""
            let due = world.clock.now() + .hours(1)
            try await world.run { node in
                person = try await world.follower()
                let pending = try #require(
                    try await node.timeline.find([world.pushID(person)]).first ?? nil
                )
                let key = ReservationKey(
                    recipient: world.recipient(person),
                    push: world.pushID(person),
                    sequence: pending.sequence
                )
                try await node.records.ledger.update([key]) { ledger throws(RecordsError) in
                    ledger[reservation: key] = Reservation(
                        source: "template",
                        granted: Timestamp(milliseconds: 0),
                        made: due
                    )
                }
            }
            world.clock.pass(to: due + later)
            try await world.run { node in
                try await world.pass(node)
                #expect(try await end(node, world, person).state == .ended(outcome))
            }
            #expect(notices(world, person).count == seen)
        }
    }

    @Test(
        "once a day's template quota is used up, template messages go the next day, without asking"
    )
    func quota() async throws {
        try await World.with(flow: Self.template) { world in
            try await world.run { node in
                world.simulator.add(FaultRule(Fault(.refuse(45009)), path: Self.templatePath))
                let start = world.clock.now()
                let first = try await world.follower()
                try await world.pass(node, to: start + .hours(2))
                let second = try await world.follower()
                try await world.pass(node)
                for person in [first, second] {
                    let history = try await world.history(node, person)
                    #expect(
                        history.contains {
                            $0.state == .waiting(.retrying) && $0.cause.code == "45009"
                        }
                    )
                    let end = try #require(history.last)
                    #expect(end.state == .ended(.sent) && end.heldFor == .retrying)
                    // One fault was there: a call for the second one would have been taken the same day.
                    #expect(ChinaDay(of: end.at).number > ChinaDay(of: end.asked).number)
                    #expect(notices(world, person).count == 1)
                }
                #expect(node.accounts[World.account]?.record.paused == nil)
            }
        }
    }

    @Test("what forbids template messages ends them, and leaves the account's other messages alone")
    func forbidden() async throws {
        try await World.with(flow: Self.template) { world in
            try await world.run { node in
                world.simulator.add(FaultRule(Fault(.refuse(48001)), path: Self.templatePath))
                let person = try await world.follower()
                try await world.pass(node)
                let end = try await end(node, world, person)
                #expect(end.state == .ended(.dead) && end.cause.code == "48001")
                #expect(node.accounts[World.account]?.record.paused == nil)
            }
        }
    }

    @Test(
        "where WeChat knows that nothing is open and we do not, the other way is taken, with one end",
        arguments: [
            (nil, 45015), (WindowRule(seconds: 60, messages: 0), 45047),
        ] as [(WindowRule?, Int)]
    )
    func unknownToUs(_ rule: WindowRule?, _ code: Int) async throws {
        let flow = Self.template.replacing("after: 1h", with: "after: 5s")
        try await World.with(flow: flow) { world in
            try await world.run { node in
                try change(world) {
                    $0.windows.rules[.follow] = rule
                    $0.holdsReports = true
                }
                let person = try await world.follower()
                try await world.pass(node)
                #expect(world.simulator.refusals().map(\.code) == [code])
                #expect(notices(world, person).map(\.kind) == [.template])
                let history = try await world.history(node, person)
                #expect(
                    history.map(\.state) == [
                        .waiting(.scheduled), .waiting(.heldWindow), .ended(.sent),
                    ]
                )
                #expect(history[1].cause.code == "\(code)" && history[1].channel == "wechat")
                #expect(history[2].cause.code == "fell_back" && history[2].channel == "template")
            }
        }
    }

    @Test("notifications that are told of together are each found by their template")
    func together() async throws {
        let flow =
            Self.flow("subscribe: { template_id: T1, data: { thing1: x } }")
                + """
                  - id: second
                    after: 1s
                    text: Hello
                    otherwise: { subscribe: { template_id: T2, data: { thing1: y } } }
                """
        try await World.with(flow: flow) { world in
            try await world.run { node in
                try change(world) { $0.holdsReports = true }
                let person = try await world.follower()
                try await answer(
                    world,
                    person,
                    .answerConsent([ConsentAnswer("T1"), ConsentAnswer("T2")])
                )
                try await world.pass(node)
                #expect(notices(world, person).map(\.templateID) == ["T1", "T2"])
                try change(world) { $0.noticeResult = .systemFailed }
                let reports = try await world.simulator.reportNotices(of: world.appID)
                #expect(reports.count == 1)
                let ends = try await world.history(node, person).filter {
                    $0.channel == "subscribe"
                }
                #expect(ends.map(\.cause.code) == ["delivered", "delivered"])
                #expect(Set(ends.compactMap(\.reference)).isDisjoint(with: ["T1", "T2"]))
            }
        }
    }

    @Test("what the API is given for these channels is checked before it is accepted")
    func checked() {
        func problem(_ channel: String, _ json: String) -> String? {
            BelfryNode.payloadProblem(channel: channel, payload: Array(json.utf8))
        }
        let right = #"{"template_id":"T","data":{"thing1":{"value":"x"}}}"#
        let wrong = #"{"template_id":"T","data":{"phrase1":{"value":"x"}}}"#
        for channel in ["template", "subscribe"] {
            #expect(problem(channel, right) == nil)
            #expect(problem(channel, wrong)?.hasPrefix("data.phrase1.value") == true)
        }
        #expect(problem("wechat", right)?.hasPrefix("msgtype") == true)
        #expect(problem("webhook", wrong) == nil)
    }

    @Test("a push that the API scheduled as a notification needs a consent too")
    func scheduled() async throws {
        try await World.with { world in
            try await world.run { node in
                let person = try await world.follower()
                try await world.pass(node)
                try await answer(world, person, .answerConsent([ConsentAnswer("T9")]))
                let body = #"{"template_id":"T9","data":{"thing1":{"value":"开抢了"}}}"#
                for name in ["one", "two"] {
                    try await node.timeline.schedule([
                        Push(
                            id: PushID(name),
                            recipient: world.recipient(person),
                            due: world.clock.now(),
                            channel: "subscribe",
                            payload: Array(body.utf8)
                        )
                    ])
                    try await world.pass(node)
                }
                #expect(notices(world, person).map(\.values) == [["thing1": "开抢了"]])
                #expect(world.simulator.refusals().isEmpty)
                let ends = try await world.ends(node, person)
                #expect(ends == [.sent, .sent, .sent, .noGrant])
            }
        }
    }
}
