import BelfryActivation
import BelfryCore
import Testing

@Suite("Flow planner")
struct FlowPlannerTests {
    @Test("a follow becomes a text five seconds later, and then the flow is over")
    func followToText() throws {
        let flow = try published(hello)
        let person = FlowPerson(id: "oABC")
        let now = friday + Duration.milliseconds(300)
        let plan = try planner.start(flow, person: person, event: followed(), now: now)
        let push = try #require(plan.push)
        #expect(push.id == "flow/shop/hello/oABC")
        #expect(push.recipient == Recipient(account: "shop", person: "oABC"))
        #expect(push.due == friday + Duration.seconds(5))
        #expect(push.channel == "wechat")

        var ledger = PermissionLedger(rules: .wechat2023)
        ledger.record(.follow, at: friday)
        let resolution = planner.resolve(
            payload: push.payload,
            versions: FlowVersions(flow),
            person: person,
            ledger: ledger,
            now: push.due
        )
        guard case .send(let step) = resolution else {
            Issue.record("\(resolution)")
            return
        }
        #expect(
            String(decoding: step.body, as: UTF8.self)
                == #"{"msgtype":"text","text":{"content":"你好 朋友"}}"#
        )
        #expect(step.permission == .window)

        let next = planner.next(
            after: try FlowPosition(payload: push.payload),
            outcome: .sent,
            versions: FlowVersions(flow),
            person: person,
            now: push.due
        )
        #expect(next.next == .ended(.completed))
    }

    @Test("past the minute that a follow opens, the step is skipped for want of a grant")
    func tooLate() throws {
        let flow = try published(hello)
        let plan = try planner.start(
            flow,
            person: FlowPerson(id: "o"),
            event: followed(),
            now: friday
        )
        var ledger = PermissionLedger(rules: .wechat2023)
        ledger.record(.follow, at: friday)
        let resolution = planner.resolve(
            payload: try #require(plan.push).payload,
            versions: FlowVersions(flow),
            person: FlowPerson(id: "o"),
            ledger: ledger,
            now: friday + Duration.seconds(60)
        )
        guard case .skip(.noGrant, _) = resolution else {
            Issue.record("\(resolution)")
            return
        }
    }

    // MARK: Entering

    @Test("only the trigger's own event starts a flow, and the most particular flow is the one")
    func triggers() throws {
        let general = try published(hello)
        let spring = try published(
            hello.replacing("key: hello", with: "key: spring")
                .replacing("trigger: follow", with: "trigger: { follow: { scene: spring-* } }")
        )
        let keyword = try published(
            hello.replacing("key: hello", with: "key: word").replacing(
                "trigger: follow",
                with: "trigger: { message: { keyword: [领取, Go], match: contains } }"
            )
        )
        let all = [general, spring, keyword]
        func keys(_ event: FlowEvent) -> [String] {
            FlowPlanner.triggered(by: event, among: all).map(\.flow.key)
        }
        #expect(keys(followed()) == ["hello"])
        #expect(keys(followed(scene: "spring-07")) == ["spring"])
        #expect(keys(followed(scene: "winter")) == ["hello"])
        #expect(keys(wrote("我要领取", friday)) == ["word"])
        #expect(keys(wrote(" ｇＯ！", friday)) == ["word"])
        #expect(keys(wrote("你好", friday)) == [])
        #expect(keys(FlowEvent(.menu(key: "GO"), at: friday)) == [])
        #expect(throws: NotEntered.otherTrigger) {
            try planner.start(keyword, person: FlowPerson(id: "o"), event: followed(), now: friday)
        }
    }

    @Test(
        "a second trigger follows the re-entry rule, and a re-follow begins anew",
        arguments: [
            ("restart", Attendance.inside, "follow", true), ("ignore", .inside, "follow", true),
            ("once", .inside, "follow", false), ("once", .before, "follow", false),
            ("restart", .inside, "message", true), ("ignore", .inside, "message", false),
            ("ignore", .before, "message", true), ("once", .before, "message", false),
            ("once", .never, "message", true),
        ]
    )
    func reentry(rule: String, attendance: Attendance, trigger: String, enters: Bool) throws {
        let yaml = hello.replacing("trigger: follow", with: "trigger: \(trigger)\nreentry: \(rule)")
        let event = trigger == "follow" ? followed() : wrote("x", friday)
        let plan = try? planner.start(
            try published(yaml),
            person: FlowPerson(id: "o"),
            event: event,
            attendance: attendance,
            now: friday
        )
        #expect((plan != nil) == enters)
    }

    @Test("the passive reply comes with the plan, its variables filled")
    func passiveReply() throws {
        let yaml = hello.replacing(
            "steps:",
            with: "reply: { text: '{{nickname|你}}好，这里是{{account}}' }\nsteps:"
        )
        let person = FlowPerson(id: "o", variables: ["nickname": "小王"])
        let plan = try planner.start(
            try published(yaml),
            person: person,
            event: followed(),
            now: friday
        )
        #expect(plan.reply == .text("小王好，这里是小店"))
    }

    @Test("conditions of the flow and of the person keep people out, with the reason")
    func entryConditions() throws {
        let yaml = hello.replacing("steps:", with: "only_if: { tag: vip, not_tag: staff }\nsteps:")
        let flow = try published(yaml)
        func refusal(_ person: FlowPerson) -> NotEntered? {
            do {
                _ = try planner.start(flow, person: person, event: followed(), now: friday)
                return nil
            } catch { return error }
        }
        #expect(refusal(FlowPerson(id: "o"))?.description.contains("vip") == true)
        #expect(
            refusal(FlowPerson(id: "o", tags: ["vip", "staff"]))?.description.contains("staff")
                == true
        )
        #expect(refusal(FlowPerson(id: "o", tags: ["vip"])) == nil)
        #expect(refusal(FlowPerson(id: "o", isFollowing: false, tags: ["vip"])) == .notFollowing)
    }

    @Test("ids of 10 kB, an empty id and an account with a slash are refused with the limit")
    func longIDs() throws {
        let flow = try published(hello)
        for id in [String(repeating: "x", count: 10_240), ""] {
            #expect(throws: NotEntered.self) {
                try planner.start(flow, person: FlowPerson(id: id), event: followed(), now: friday)
            }
        }
        for key in ["a/b", "", String(repeating: "k", count: 10_240)] {
            let planner = FlowPlanner(account: FlowAccount(key: key))
            #expect(throws: NotEntered.self) {
                try planner.start(flow, person: FlowPerson(id: "o"), event: followed(), now: friday)
            }
        }
    }

    @Test("an event from 200 years ahead does not put the flow there")
    func farFuture() throws {
        let event = followed(friday + Duration.days(73_000))
        let plan = try planner.start(
            try published(hello),
            person: FlowPerson(id: "o"),
            event: event,
            now: friday
        )
        #expect(plan.push?.due == friday + Duration.seconds(5))
    }

    @Test("a call's variables reach the messages, cut to their limit and only if declared")
    func apiVariables() throws {
        let yaml = """
            key: api
            trigger: api
            variables: { coupon: 旧券, code: }
            steps:
              - { id: a, when: immediately, text: "{{coupon}} {{code}}" }
            """
        let flow = try published(yaml)
        let long = String(repeating: "长", count: 1000)
        let event = FlowEvent(
            .api(variables: ["coupon": "新券", "code": long, "other": "x"]),
            at: friday
        )
        let plan = try planner.start(flow, person: FlowPerson(id: "o"), event: event, now: friday)
        let position = try #require(plan.position)
        #expect(position.variables.keys.sorted() == ["code", "coupon"])
        #expect(position.variables["code"]?.utf8.count == 510)
        #expect(try FlowPosition(payload: position.payload) == position)
    }

    // MARK: Waiting and holding

    private func start(_ yaml: String, _ person: FlowPerson = FlowPerson(id: "o")) throws -> (
        FlowVersions, Plan
    ) {
        let flow = try published(yaml)
        let plan = try planner.start(flow, person: person, event: followed(), now: friday)
        return (FlowVersions(flow), plan)
    }

    @Test("a step after the last message waits for it, moves with it, and gives up in time")
    func afterMessage() throws {
        let yaml = """
            key: hello
            trigger: follow
            steps:
              - { id: a, after_message: 10m, wait: 1d, text: x }
              - { id: b, after: 5s, text: y }
            """
        let (versions, plan) = try start(yaml)
        let position = try #require(plan.position)
        #expect(position.isWaiting && plan.push?.due == friday + Duration.days(1))

        let at = friday + Duration.hours(2)
        var person = FlowPerson(id: "o", lastWrote: at)
        let woken = planner.wake(
            position,
            isHeld: false,
            event: wrote("x", at),
            versions: versions,
            person: person,
            now: at
        )
        #expect(woken?.push?.due == at + Duration.minutes(10))
        // Writing again moves it: whoever asks too early is told when.
        person.lastWrote = at + Duration.minutes(9)
        let early = planner.resolve(
            try #require(woken?.position),
            versions: versions,
            person: person,
            ledger: nil,
            now: at + Duration.minutes(10)
        )
        guard case .hold(let until, .scheduled, _) = early else {
            Issue.record("\(early)")
            return
        }
        #expect(until == at + Duration.minutes(19))
        // A tap on a msgmenu is no message.
        let tap = FlowEvent(.message(text: "1", isMenuTap: true), at: at)
        #expect(
            planner.wake(
                position,
                isHeld: false,
                event: tap,
                versions: versions,
                person: person,
                now: at
            ) == nil
        )
        let gaveUp = planner.resolve(
            position,
            versions: versions,
            person: FlowPerson(id: "o"),
            ledger: nil,
            now: friday + Duration.days(1)
        )
        guard case .skip(.skippedCondition, _) = gaveUp else {
            Issue.record("\(gaveUp)")
            return
        }
    }

    @Test("a held step goes when the person opens a window, or is skipped at its deadline")
    func hold() throws {
        let yaml = hello.replacing("after: 5s", with: "after: 1h\n    otherwise: { hold: 1d }")
        let (versions, plan) = try start(yaml)
        let position = try #require(plan.position)
        var ledger = PermissionLedger(rules: .wechat2023)
        ledger.record(.follow, at: friday)
        func resolve(_ now: Timestamp) -> Resolution {
            planner.resolve(
                position,
                versions: versions,
                person: FlowPerson(id: "o"),
                ledger: ledger,
                now: now
            )
        }
        let due = friday + Duration.hours(1)
        guard case .hold(let until, .heldWindow, _) = resolve(due) else {
            Issue.record("\(resolve(due))")
            return
        }
        #expect(until == due + Duration.days(1))
        guard case .skip(.noGrant, _) = resolve(until) else {
            Issue.record("\(resolve(until))")
            return
        }
        let later = due + Duration.hours(3)
        let woken = planner.wake(
            position,
            isHeld: true,
            event: FlowEvent(.menu(key: "K"), at: later),
            versions: versions,
            person: FlowPerson(id: "o"),
            now: later
        )
        #expect(woken?.push?.due == later)
        #expect(woken?.position == position)
        ledger.record(.menu, at: later)
        guard case .send = resolve(later) else {
            Issue.record("\(resolve(later))")
            return
        }
    }

    @Test("without permission a step falls back to the channel it names")
    func fallBack() throws {
        let yaml = hello.replacing(
            "after: 5s",
            with: """
                after: 1h
                    otherwise: { subscribe: { template_id: T, data: { thing1: { value: "{{nickname|你}}" } } } }
                """
        )
        let (versions, plan) = try start(yaml)
        let position = try #require(plan.position)
        var ledger = PermissionLedger(rules: .wechat2023)
        let now = friday + Duration.hours(1)
        func resolve() -> Resolution {
            planner.resolve(
                position,
                versions: versions,
                person: FlowPerson(id: "o"),
                ledger: ledger,
                now: now
            )
        }
        guard case .skip(.noGrant, _) = resolve() else {
            Issue.record("sent without consent: \(resolve())")
            return
        }
        ledger.recordConsent(template: "T", at: friday)
        guard case .fallBack(let step, _) = resolve() else {
            Issue.record("\(resolve())")
            return
        }
        #expect(step.channel == "subscribe")
        #expect(step.permission == .consent(template: "T"))
        #expect(
            String(decoding: step.body, as: UTF8.self)
                == #"{"template_id":"T","data":{"thing1":{"value":"你"}}}"#
        )
    }

    // MARK: Content at delivery

    @Test("a person's own name cannot become a link, and a text that grows too long is not sent")
    func hostileNames() throws {
        let (versions, plan) = try start(hello)
        let position = try #require(plan.position)
        func resolve(_ name: String) -> Resolution {
            planner.resolve(
                position,
                versions: versions,
                person: FlowPerson(id: "o", variables: ["nickname": name]),
                ledger: nil,
                now: position.due
            )
        }
        guard case .send(let step) = resolve(#"<a href="https://evil.example">x</a>"#) else {
            Issue.record("not sent")
            return
        }
        #expect(!String(decoding: step.body, as: UTF8.self).contains("<a"))
        guard case .send(let cut) = resolve(String(repeating: "长", count: 5000)) else {
            Issue.record("not sent")
            return
        }
        #expect(cut.body.count < 700)
        guard case .skip(.dead, let reason) = resolve("bell\u{7}") else {
            Issue.record("a control character was sent")
            return
        }
        #expect(reason.contains("control character"))
    }

    @Test("files stand in the message by name, and links are tracked where the account tracks them")
    func filesAndLinks() throws {
        let yaml = """
            key: hello
            trigger: follow
            steps:
              - { id: a, when: immediately, image: { file: a/b.png } }
              - { id: b, when: immediately, news: { title: t, url: "https://e.example/1", picurl: "https://e.example/p" } }
            """
        let (versions, plan) = try start(yaml)
        var position = try #require(plan.position)
        func body() -> String {
            let resolution = planner.resolve(
                position,
                versions: versions,
                person: FlowPerson(id: "o"),
                ledger: nil,
                lookups: DeliveryLookups(trackedLink: { _ in "https://l.example/l/1" }),
                now: friday
            )
            guard case .send(let step) = resolution else { return "\(resolution)" }
            return String(decoding: step.body, as: UTF8.self)
        }
        #expect(body() == #"{"msgtype":"image","image":{"media_id":"file:a/b.png"}}"#)
        position.step = "b"
        #expect(body().contains(#""url":"https://l.example/l/1""#))
        #expect(body().contains(#""picurl":"https://e.example/p""#))
    }

    @Test("a payload that no planner wrote ends as dead, with the reason")
    func brokenPayload() throws {
        let versions = FlowVersions(try published(hello))
        for payload in [
            [], [0xFF, 0xFE], Array("{}".utf8), Array("[1]".utf8),
            Array(#"{"f":"hello","v":1,"s":"greeting","t":9223372036854775807,"a":0,"d":0}"#.utf8),
            Array(#"{"f":"hello","v":1,"s":"greeting","t":-1,"a":0,"d":0}"#.utf8),
            Array(#"{"f":"hello","v":1,"s":"greeting","t":1,"a":0,"d":0,"x":-5}"#.utf8),
        ] as [[UInt8]] {
            let resolution = planner.resolve(
                payload: payload,
                versions: versions,
                person: FlowPerson(id: "o"),
                ledger: nil,
                now: friday
            )
            guard case .skip(.dead, _) = resolution else {
                Issue.record("\(resolution)")
                continue
            }
        }
    }

    @Test("an unsubscribe ends the flow and names every push to cancel")
    func unsubscribe() throws {
        let (versions, plan) = try start(hello)
        let position = try #require(plan.position)
        let gone = FlowPerson(id: "o", isFollowing: false)
        guard
            case .skip(.unsubscribed, _) = planner.resolve(
                position,
                versions: versions,
                person: gone,
                ledger: nil,
                now: friday
            )
        else {
            Issue.record("sent to somebody who has left")
            return
        }
        let next = planner.next(
            after: position,
            outcome: .unsubscribed,
            versions: versions,
            person: gone,
            now: friday
        )
        #expect(next.next == .ended(.unsubscribed))
        #expect(
            planner.cancelIDs(person: "o", flows: ["a", "b"])
                == ["flow/shop/a/o", "flow/shop/b/o"]
        )
    }

    @Test("the goal ends a flow that stops at it")
    func goal() throws {
        let yaml = hello.replacing("steps:", with: "goal: { tag: buyer }\nsteps:")
        let (versions, plan) = try start(yaml)
        let next = planner.next(
            after: try #require(plan.position),
            outcome: .sent,
            versions: versions,
            person: FlowPerson(id: "o", tags: ["buyer"]),
            now: friday
        )
        #expect(next.next == .ended(.goalReached))
    }
}
