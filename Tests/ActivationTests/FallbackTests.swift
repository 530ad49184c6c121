import BelfryActivation
import BelfryCore
import Testing

@Suite("Other ways than the window")
struct FallbackTests {
    private func flow(_ otherwise: String) -> String {
        """
        key: f
        trigger: follow
        steps:
          - id: a
            after: 1h
            text: x
            otherwise:
              \(otherwise)
        """
    }

    private func problems(_ otherwise: String) -> [String] {
        do {
            _ = try FlowYAML.parse(flow(otherwise))
            return []
        } catch {
            return error.problems.map(\.message)
        }
    }

    private func lines(_ yaml: String, _ acts: [String]) throws -> [SimulatedLine] {
        FlowSimulator.run(
            try FlowYAML.parse(yaml).flow,
            rules: .wechat2023,
            scenario: try Scenario.parse(acts, zone: .shanghai)
        )
    }

    @Test("a field may be written short; the flow that is written out reads back the same")
    func short() throws {
        let short = try FlowYAML.parse(
            flow("template: { template_id: T, url: \"https://a.example\", data: { thing1: 你好 } }")
        ).flow
        let long = try FlowYAML.parse(
            flow(
                "template: { data: { thing1: { value: 你好, color: '#173177' } }, url: \"https://a.example\", template_id: T }"
            )
        ).flow
        #expect(short == long)
        #expect(try FlowYAML.parse(FlowYAML.export(short)).flow == short)
        let program = try FlowYAML.parse(
            flow(
                "subscribe: { template_id: T, page: \"https://example.com\", miniprogram: { appid: wx1, pagepath: q }, data: { phrase1: 已发货 } }"
            )
        ).flow
        #expect(try FlowYAML.parse(FlowYAML.export(program)).flow == program)
    }

    @Test(
        "what WeChat would refuse is found when the flow is read",
        arguments: [
            ("template: { data: {} }", "'template_id' is missing"),
            (
                "template: { template_id: T, data: { phrase1: sent } }",
                "data.phrase1.value: must be"
            ),
            (
                "template: { template_id: T, data: { phrase1: \"{{nickname|friend}}\" } }",
                "data.phrase1.value: must be"
            ),
            ("subscribe: { template_id: T, data: { keyword1: x } }", "data.keyword1: has to begin"),
            (
                "subscribe: { template_id: T, data: { keyword1: \"{{nickname}}\" } }",
                "data.keyword1: has to begin"
            ),
            ("subscribe: { template_id: T, url: u, data: {} }", "unknown key 'url'"),
            ("template: { template_id: T, url: nowhere, data: {} }", "url: must begin with http"),
            ("template: { template_id: T, miniprogram: { appid: wx1 }, data: {} }", "'pagepath'"),
            (
                "template: { template_id: T, data: { thing1: { colour: red } } }",
                "'value' is missing"
            ),
            ("template: { template_id: T, data: words }", "has to be a mapping"),
        ]
    )
    func refused(_ otherwise: String, _ words: String) {
        let found = problems(otherwise)
        #expect(found.contains { $0.contains(words) }, "\(found)")
    }

    @Test("a value that is only known when it is sent is not guessed at")
    func later() {
        #expect(
            problems("subscribe: { template_id: T, data: { number1: \"{{nickname}}\" } }").isEmpty
        )
        #expect(problems("template: { template_id: T, url: \"{{remark}}\", data: {} }").isEmpty)
    }

    @Test("the check names the other way, and whom it reaches")
    func checked() throws {
        func words(_ otherwise: String) throws -> [String] {
            FlowCheck.report(try FlowYAML.parse(flow(otherwise)), rules: .wechat2023).map(\.message)
        }
        let template = try words("template: { template_id: T1, data: { thing1: x } }")
        #expect(template.contains { $0.hasSuffix("otherwise: send the template message T1") })
        let subscribe = try words("subscribe: { template_id: T2, data: { thing1: \"{{nik}}\" } }")
        #expect(
            subscribe.contains {
                $0.hasSuffix("send the notification T2 to those who have agreed to it")
            }
        )
        #expect(subscribe.contains { $0.contains("unknown variable 'nik'") })
    }

    @Test("another template, or another way, is a change of content")
    func diff() throws {
        let old = try FlowYAML.parse(flow("template: { template_id: T, data: {} }")).flow
        let new = try FlowYAML.parse(flow("subscribe: { template_id: T, data: {} }")).flow
        let diff = FlowDiff(from: old, to: new)
        #expect(diff.changes.map(\.fields) == [["otherwise"]])
        #expect(!diff.changesStructure)
    }

    @Test("the simulation sends a template message with its words filled in")
    func simulatedTemplate() throws {
        let lines = try lines(
            flow("template: { template_id: T1, data: { thing1: \"{{nickname|朋友}}，你好\" } }"),
            ["follow 2026-11-20T10:00"]
        )
        let line = try #require(lines.first { $0.kind == .fellBack })
        #expect(line.text == "template: T1 · 朋友，你好")
        #expect(line.reason.contains("the last window has closed"))
        #expect(!lines.contains { $0.kind == .sent || $0.kind == .skipped })
    }

    @Test("the simulation counts consents: one accept, one notification")
    func simulatedConsents() throws {
        let yaml = """
            key: f
            trigger: follow
            steps:
              - { id: a, after: 1h, text: x, otherwise: { subscribe: { template_id: T, data: { thing1: x } } } }
              - { id: b, after: 1h, text: x, otherwise: { subscribe: { template_id: T, data: { thing1: x } } } }
            """
        func kinds(_ acts: String...) throws -> [SimulatedLine.Kind] {
            try lines(yaml, ["follow 2026-11-20T10:00"] + acts).map(\.kind).filter {
                $0 == .fellBack || $0 == .skipped
            }
        }
        #expect(try kinds() == [.skipped, .skipped])
        #expect(try kinds("accept 2026-11-20T10:01 T") == [.fellBack, .skipped])
        #expect(
            try kinds("accept 2026-11-20T10:01 T", "accept 2026-11-20T10:02 T")
                == [.fellBack, .fellBack]
        )
        #expect(try kinds("accept 2026-11-20T10:01 other") == [.skipped, .skipped])
        #expect(
            try kinds("accept 2026-11-20T10:01 T", "withdraw 2026-11-20T10:30 T")
                == [.skipped, .skipped]
        )
        #expect(throws: InvalidScenario.self) { try kinds("accept 2026-11-20T10:01") }
    }

    @Test(
        "a value that breaks its field's rule when filled in is not sent, and the reason says which"
    )
    func filled() throws {
        let yaml = flow("template: { template_id: T, data: { phrase1: \"{{nickname|朋友}}\" } }")
        let start = try planner.start(
            try published(yaml),
            person: FlowPerson(id: "o"),
            event: followed(),
            attendance: .never,
            now: friday
        )
        let resolution = planner.resolve(
            try #require(start.position),
            versions: FlowVersions(try published(yaml)),
            person: FlowPerson(id: "o", variables: ["nickname": "Anna"]),
            ledger: PermissionLedger(rules: .wechat2023),
            now: friday + Duration.hours(1)
        )
        guard case .skip(.dead, let reason) = resolution else {
            Issue.record("\(resolution)")
            return
        }
        #expect(reason.contains("data.phrase1.value"))
    }

    @Test("the address that a template message opens is tracked like any other link")
    func tracked() throws {
        let yaml = flow("template: { template_id: T, url: \"https://a.example/b\", data: {} }")
        let versions = FlowVersions(try published(yaml))
        let start = try planner.start(
            versions.current,
            person: FlowPerson(id: "o"),
            event: followed(),
            attendance: .never,
            now: friday
        )
        let resolution = planner.resolve(
            try #require(start.position),
            versions: versions,
            person: FlowPerson(id: "o"),
            ledger: PermissionLedger(rules: .wechat2023),
            lookups: DeliveryLookups(trackedLink: { "https://t.example/\($0.utf8.count)" }),
            now: friday + Duration.hours(1)
        )
        guard case .fallBack(let step, _) = resolution else {
            Issue.record("\(resolution)")
            return
        }
        #expect(step.permission == .follower)
        #expect(
            String(decoding: step.body, as: UTF8.self)
                == #"{"template_id":"T","url":"https://t.example/19","data":{}}"#
        )
    }

    @Test("a withdrawal takes the consents from before it, not those that came after")
    func withdrawn() throws {
        var ledger = PermissionLedger(rules: .wechat2023)
        ledger.record([ConsentChange(template: "T", isGranted: true)], at: friday)
        ledger.correct(.refused(template: "T"), at: friday - Duration.seconds(1))
        #expect(ledger.grants.count == 1)
        ledger.record([ConsentChange(template: "T", isGranted: false)], at: friday)
        #expect(ledger.grants.isEmpty)
    }
}
