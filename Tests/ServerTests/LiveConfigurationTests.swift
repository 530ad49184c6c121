import BelfryActivation
import BelfryCore
import BelfryDelivery
import BelfryRecords
import BelfrySimulation
import BelfryTestSupport
import Hummingbird
import Synchronization
import Testing

@testable import BelfryServer

@Suite("What is set while the server runs")
struct LiveConfigurationTests {
    private func records(_ folder: TemporaryFolder, _ clock: ManualClock) async throws -> Records {
        try await Records.open(
            path: folder.path + "/records.sqlite",
            clock: clock,
            secretKey: Array(repeating: 7, count: 32)
        )
    }

    @Test("every form of key is read, whatever dots and slashes a name has")
    func forms() throws {
        let settings = try LiveSettings([
            "delivery.batch": "500", "delivery.concurrency": "8", "delivery.sweep": "90s",
            "account.my.shop.rate": "20", "account.my.shop.concurrency": "3",
            "account.my.shop.paused": "stocktaking", "flow.my.shop/welcome.v2.paused": "a typo",
            "account.my.shop.priority": "low", "flow.my.shop/welcome.v2.priority": "high",
            "topic.coupon.10.paused": "sold out", "topic.coupon.10.priority": "urgent",
        ])
        #expect(settings.batch == 500 && settings.concurrency == 8)
        #expect(settings.sweep == .seconds(90))
        let shop = LiveSettings.OfAccount(
            rate: 20,
            concurrency: 3,
            paused: "stocktaking",
            priority: .low
        )
        #expect(settings.pausedTopics == ["coupon.10": "sold out"])
        #expect(settings.topicPriorities == ["coupon.10": .urgent])
        #expect(Array(settings.flowPriorities.values) == [.high])
        #expect(settings.accounts == ["my.shop": shop])
        #expect(
            settings.pausedFlows == [.init(account: "my.shop", flow: "welcome.v2"): "a typo"]
        )
    }

    @Test(
        "what is not allowed is refused with its key and what is allowed",
        arguments: [
            ("delivery.batch", "0", "1 to 10000"), ("delivery.batch", "many", "1 to 10000"),
            ("delivery.sweep", "2h", "1s to 1h"), ("delivery.sweep", "soon", "1s to 1h"),
            ("account.shop.rate", "1000001", "1 to 1000000"), ("account.shop.paused", "", "why"),
            ("account..rate", "1", "is none of"), ("flow.shop.paused", "x", "is none of"),
            ("flow./welcome.paused", "x", "is none of"), ("timeline.lanes", "2", "is none of"),
            ("delivery", "2", "is none of"), ("topic..paused", "x", "is none of"),
            ("account.shop.priority", "3", "urgent, high, normal, low"),
            ("topic.coupon.paused", "a\u{0}b", "U+0000"),
            ("delivery.bacth", "2", "did you mean 'delivery.batch'?"),
            ("acount.my.shop.rate", "2", "did you mean 'account.my.shop.rate'?"),
            ("topic.coupon.pause", "x", "did you mean 'topic.coupon.paused'?"),
            ("account.rate", "2", "did you mean 'account.KEY.rate'?"),
        ]
    )
    func refused(key: String, value: String, words: String) {
        let problem = #expect(throws: LiveProblem.self) { try LiveSettings([key: value]) }
        #expect(problem?.key == key)
        #expect(problem?.text.contains(words) == true, "\(problem?.text ?? "")")
    }

    @Test("a change is applied at once here, and by the next look on another node; both say which")
    func nodes() async throws {
        let folder = TemporaryFolder()
        let clock = ManualClock()
        let records = try await records(folder, clock)
        let first = LiveConfiguration(records: records, clock: clock, node: "one")
        let second = LiveConfiguration(records: records, clock: clock, node: "two")
        let seen = Mutex<[Int?]>([])
        second.watch { settings in seen.withLock { $0.append(settings.batch) } }
        let revision = try await first.set(["delivery.batch": "500"], by: "li")
        #expect(revision.number == 1 && first.settings.batch == 500)
        #expect(second.settings.batch == nil)
        #expect(try await first.nodes().map(\.node) == ["one"])

        let following = Task { await second.follow(every: .seconds(1)) { Issue.record($0) } }
        while second.settings.batch == nil {
            clock.advance(by: .seconds(1))
            await Task.yield()
        }
        following.cancel()
        await following.value
        #expect(seen.withLock { $0 } == [nil, 500])
        #expect(try await first.nodes().map(\.revision) == [1, 1])
        await records.close()
    }

    @Test("history and rollback: every change is a revision, and going back is one, too")
    func rollback() async throws {
        let folder = TemporaryFolder()
        let clock = ManualClock()
        let records = try await records(folder, clock)
        let live = LiveConfiguration(records: records, clock: clock, node: "one")
        try await live.set(["delivery.batch": "500", "account.shop.rate": "5"], by: "li")
        try await live.set(["delivery.batch": nil, "delivery.sweep": "10s"], by: "wu")
        #expect(live.revision.values == ["account.shop.rate": "5", "delivery.sweep": "10s"])
        let back = try await live.rollback(to: 1, by: "li")
        #expect(back?.number == 3)
        #expect(live.settings.batch == 500 && live.settings.sweep == nil)
        #expect(try await live.rollback(to: 9, by: "li") == nil)
        #expect(try await live.rollback(to: 0, by: "li")?.values == [:])
        #expect(live.settings == LiveSettings())
        #expect(try await live.history(limit: 10).map(\.number) == [4, 3, 2, 1])
        // After a restart the newest is in force.
        try await live.set(["delivery.batch": "7"], by: "li")
        let again = LiveConfiguration(records: records, clock: clock, node: "one")
        try await again.refresh()
        #expect(again.settings.batch == 7 && again.revision.number == 5)
        await records.close()
    }

    @Test("what is wrong changes nothing; a change from an old revision is a conflict")
    func conflict() async throws {
        let folder = TemporaryFolder()
        let clock = ManualClock()
        let records = try await records(folder, clock)
        let live = LiveConfiguration(records: records, clock: clock, node: "one")
        await #expect(throws: LiveProblem.self) {
            try await live.set(["delivery.batch": "5", "delivery.sweep": "never"], by: "li")
        }
        #expect(live.revision.number == 0)
        try await live.set(["delivery.batch": "5"], expected: 0, by: "li")
        let error = await #expect(throws: RecordsError.self) {
            try await live.set(["delivery.batch": "6"], expected: 0, by: "wu")
        }
        #expect(error?.code == .conflict && live.settings.batch == 5)
        await records.close()
    }

    @Test("what is so already makes no revision, and is a conflict all the same from an old one")
    func unchanged() async throws {
        let folder = TemporaryFolder()
        let clock = ManualClock()
        let records = try await records(folder, clock)
        let live = LiveConfiguration(records: records, clock: clock, node: "one")
        let other = LiveConfiguration(records: records, clock: clock, node: "two")
        #expect(try await live.set(["delivery.sweep": nil], by: "li").number == 0)
        try await live.set(["delivery.batch": "5"], by: "li")
        // This one has not heard of it yet, and has by then.
        #expect(try await other.set(["delivery.batch": "5"], by: "wu").who == "li")
        #expect(other.settings.batch == 5)
        #expect(try await live.rollback(to: 1, by: "wu")?.number == 1)
        let error = await #expect(throws: RecordsError.self) {
            try await live.set(["delivery.batch": "5"], expected: 0, by: "wu")
        }
        #expect(error?.code == .conflict)
        #expect(try await live.history(limit: 10).map(\.number) == [1])
        await records.close()
    }

    private func claim(_ flow: String, _ clock: ManualClock) -> Claim {
        let now = clock.now()
        let position = FlowPosition(
            flow: flow,
            version: 1,
            step: "one",
            started: now,
            anchor: now,
            due: now
        )
        let id = FlowPlanner.id(account: "shop", flow: flow, person: "o")
        return Claim(
            token: ClaimToken(id: id, generation: 1),
            push: Push(
                id: id,
                recipient: Recipient(account: "shop", person: "o"),
                due: now,
                channel: "log",
                payload: position.payload
            ),
            sequence: 1,
            attempt: 0,
            accepted: now,
            leaseEnds: now + .seconds(60)
        )
    }

    @Test("a paused flow holds its own pushes, and no others; they go on when it is cleared")
    func pausedFlow() async throws {
        let folder = TemporaryFolder()
        let clock = ManualClock()
        let records = try await records(folder, clock)
        let live = LiveConfiguration(records: records, clock: clock, node: "one")
        let gate = PausedPushes(base: OpenGate(), live: live)
        let claims = ["other", "welcome", "third"].map { claim($0, clock) }
        let all = await OpenGate().decide(claims, now: clock.now())
        #expect(await gate.decide(claims, now: clock.now()) == all)
        try await live.set(["flow.shop/welcome.paused": "a typo"], by: "li")
        let decisions = await gate.decide(claims, now: clock.now())
        #expect(decisions[0] == all[0] && decisions[2] == all[2])
        guard case .hold(let until, .heldPaused, let cause) = decisions[1] else {
            Issue.record("\(decisions[1])")
            return
        }
        #expect(until == clock.now() + .seconds(30))
        #expect(cause?.code == "flow_paused" && cause?.message.contains("a typo") == true)
        try await live.set(["flow.shop/welcome.paused": nil], by: "li")
        #expect(await gate.decide(claims, now: clock.now()) == all)
        await records.close()
    }

    @Test("a paused topic holds its own reminders; they go on when it is cleared")
    func pausedTopic() async throws {
        let folder = TemporaryFolder()
        let clock = ManualClock()
        let records = try await records(folder, clock)
        let live = LiveConfiguration(records: records, clock: clock, node: "one")
        let gate = PausedPushes(base: OpenGate(), live: live)
        var claims = ["coupon", "concert"].map { topic in
            var claim = claim("welcome", clock)
            claim.push.id = ReminderID(topic: topic, person: "o/1").push
            return claim
        }
        claims.append(claim("coupon", clock))
        try await live.set(["topic.coupon.paused": "sold out"], by: "li")
        let decisions = await gate.decide(claims, now: clock.now())
        guard case .hold(_, .heldPaused, let cause) = decisions[0] else {
            Issue.record("\(decisions[0])")
            return
        }
        #expect(cause?.code == "topic_paused" && cause?.message.contains("sold out") == true)
        let open = await OpenGate().decide(claims, now: clock.now())
        #expect(decisions[1...] == open[1...])
        _ = try await live.rollback(to: 0, by: "li")
        #expect(await gate.decide(claims, now: clock.now()) == open)
        await records.close()
    }

    @Test("a band goes by flow or topic, then by account, for what is scheduled and what follows")
    func bands() throws {
        let clock = ManualClock()
        let settings = try LiveSettings([
            "account.shop.priority": "low", "flow.shop/welcome.priority": "high",
            "topic.coupon.priority": "urgent",
        ])
        var pushes = ["welcome", "other"].map { claim($0, clock).push }
        for topic in ["coupon", "concert"] {
            var push = claim("welcome", clock).push
            push.id = ReminderID(topic: topic, person: "o").push
            pushes.append(push)
        }
        var elsewhere = pushes[1]
        elsewhere.recipient.account = "café"
        pushes.append(elsewhere)
        var wanted = pushes
        for (index, band) in [Priority.high, .low, .urgent, .low, .normal].enumerated() {
            wanted[index].priority = band
        }
        let banded = settings.banded(try PushBatch(pushes))
        #expect(banded.bytes == (try PushBatch(wanted)).bytes && banded.count == 5)
        let token = ClaimToken(id: pushes[0].id, generation: 1)
        let settled = settings.banded([
            Settlement(token: token, result: .done, successors: pushes)
        ])
        #expect(settled[0].successors == wanted)
        #expect(LiveSettings().banded(try PushBatch(pushes)).bytes == (try PushBatch(pushes)).bytes)
    }

    @Test("rate, concurrency and pause of an account take the place of its own, and give it back")
    func accountLimits() async throws {
        let folder = TemporaryFolder()
        let clock = ManualClock()
        let records = try await records(folder, clock)
        var account = AccountRecord(key: "shop", kind: .webhook)
        account.rate = 50
        account.concurrency = 4
        try await records.accounts.save(account)
        let accounts = AccountBook(records: records)
        try await accounts.reload()
        let live = LiveConfiguration(records: records, clock: clock, node: "one")
        let limits = BookLimits(accounts: accounts, live: live)
        let own = limits.limit(of: "shop", at: clock.now())
        #expect(own.rate?.perSecond == 50 && own.concurrency == 4 && own.pause == nil)
        try await live.set(
            [
                "account.shop.rate": "7", "account.shop.concurrency": "2",
                "account.shop.paused": "stocktaking",
            ],
            by: "li"
        )
        let set = limits.limit(of: "shop", at: clock.now())
        #expect(set.rate?.perSecond == 7 && set.concurrency == 2)
        #expect(set.pause?.cause.message == "stocktaking")
        _ = try await live.rollback(to: 0, by: "li")
        #expect(limits.limit(of: "shop", at: clock.now()) == own)
        await records.close()
    }

    @Test("the API sets, shows, refuses, tells the history and rolls back")
    func api() async throws {
        let fixture = try await ServerFixture()
        func put(_ body: String) async throws -> (status: Int, text: String) {
            let answer = try await fixture.admin(.put, "/v1/config", body)
            return (answer.status, answer.text)
        }
        let set = try await fixture.admin(
            .put,
            "/v1/config",
            #"{"values":{"delivery.batch":500,"delivery.sweep":"10s"},"revision":0}"#
        )
        #expect(set.status == 200 && set.json["revision"]?.integer == 1)
        #expect(set.json["values"]?["delivery.batch"]?.string == "500")
        #expect(try await put(#"{"values":{"delivery.batch":1},"revision":0}"#).status == 409)
        for wrong in [
            #"{"values":{"delivery.batch":0}}"#, #"{"values":{"nothing.known":1}}"#,
            #"{"values":{"account.nobody.rate":1}}"#, #"{"values":{"delivery.batch":[1]}}"#,
            #"{"values":{"flow.shop/none.paused":"x"}}"#, #"{"values":{}}"#, #"{}"#,
            #"{"values":{"topic.none.paused":"x"}}"#,
        ] {
            #expect(try await put(wrong).status == 422, "\(wrong)")
        }
        #expect(try await put(#"{"values":{"delivery.batch":0}}"#).text.contains("1 to 10000"))
        let shown = try await fixture.admin(.get, "/v1/config")
        #expect(shown.json["live"]?["revision"]?.integer == 1)
        #expect(shown.json["nodes"]?.array?.first?["revision"]?.integer == 1)
        #expect(shown.json["keys"]?.array?.count == LiveKey.forms.count)
        #expect(shown.json["nodes"]?.array?.first?["alive"]?.bool == true)
        let twice = try await put(#"{"values":{"delivery.batch":1,"delivery.batch":2}}"#)
        #expect(twice.status == 400 && twice.text.contains("twice"))
        let back = try await fixture.admin(.post, "/v1/config:rollback", #"{"to":0}"#)
        #expect(back.json["revision"]?.integer == 2)
        #expect(try await fixture.admin(.post, "/v1/config:rollback", #"{"to":9}"#).status == 404)
        let history = try await fixture.admin(.get, "/v1/config/history")
        let items = try #require(history.json["items"]?.array)
        #expect(items.map { $0["revision"]?.integer } == [2, 1])
        let change = try #require(items[0]["changes"]?.array?.first)
        #expect(change["key"]?.string == "delivery.batch")
        #expect(change["old"]?.string == "500" && change["new"] == .null)
        #expect(items[1]["who"]?.string == "admin")
    }
}
