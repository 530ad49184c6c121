import BelfryActivation
import BelfryCore
import Testing

@Suite("Flow check")
struct FlowCheckTests {
    private func steps(_ text: String, trigger: String = "follow", more: String = "") -> String {
        "key: a\ntrigger: \(trigger)\n\(more)steps:\n" + text
    }

    private func findings(_ yaml: String, _ rules: PermissionRules = .wechat2023) throws
        -> [Finding]
    {
        FlowCheck.report(try FlowYAML.parse(yaml), rules: rules)
    }

    private func reach(_ yaml: String, _ rules: PermissionRules = .wechat2023) throws
        -> [String: Reachability]
    {
        var reach: [String: Reachability] = [:]
        for finding in try findings(yaml, rules) {
            if let step = finding.step, let whom = finding.reach { reach[step] = whom }
        }
        return reach
    }

    @Test("a follow reaches everyone for three messages within fifty seconds, then only who writes")
    func followMinute() throws {
        let yaml = steps(
            """
              - { id: a, after: 5s, text: x }
              - { id: b, after: 10s, text: x }
              - { id: c, after: 35s, text: x }
              - { id: d, when: immediately, text: x }
              - { id: e, after: 1h, text: x }
            """
        )
        #expect(
            try reach(yaml) == [
                "a": .everyone, "b": .everyone, "c": .everyone, "d": .afterWriting,
                "e": .afterWriting,
            ]
        )
        #expect(try findings(yaml).isAccepted)
    }

    @Test("55 seconds after the follow is too late to plan with")
    func margin() throws {
        #expect(try reach(steps("  - { id: a, after: 55s, text: x }")) == ["a": .afterWriting])
        #expect(try reach(steps("  - { id: a, after: 50s, text: x }")) == ["a": .everyone])
    }

    @Test("under the legacy rule the same hour later reaches everyone")
    func legacy() throws {
        let yaml = steps("  - { id: a, after: 1h, text: x }\n  - { id: b, after: 2d, text: x }")
        #expect(try reach(yaml, .legacy48h) == ["a": .everyone, "b": .afterWriting])
        #expect(try reach(yaml, .unlimited) == ["a": .everyone, "b": .everyone])
    }

    @Test("a message reaches everyone for five messages in 48 hours")
    func message() throws {
        let text = (1...6).map { "  - { id: s\($0), after: 1h, text: x }" }.joined(separator: "\n")
        let found = try reach(steps(text, trigger: "message"))
        #expect(
            found.filter { $0.value == .everyone }.keys.sorted() == ["s1", "s2", "s3", "s4", "s5"]
        )
        #expect(found["s6"] == .afterWriting)
    }

    @Test("'you have not answered yet' an hour after a follow can never be sent, and is refused")
    func contradiction() throws {
        let step = "  - { id: a, after: 1h, text: x, only_if: { answered: false }"
        let refused = try findings(steps(step + " }"))
        #expect(!refused.isAccepted)
        let finding = try #require(refused.first)
        #expect(finding.code == "unreachable" && finding.reach == .never)
        #expect(finding.position == SourcePosition(line: 4, column: 21))
        // With another way to the person the same step is accepted.
        let template = ", otherwise: { template: { template_id: T, data: {} } } }"
        #expect(try findings(steps(step + template)).isAccepted)
        // Whoever scans may have written in the two days before.
        #expect(try reach(steps(step + " }", trigger: "scan")) == ["a": .afterWriting])
        // Skipping is what happens anyway; it is no way to the person.
        #expect(try !findings(steps(step + ", otherwise: skip }")).isAccepted)
    }

    @Test("longer after the last message than a message's window can never be sent")
    func beyondWindow() throws {
        let yaml = steps("  - { id: a, after_message: 50h, text: x }")
        #expect(try reach(yaml) == ["a": .never])
        #expect(
            try reach(steps("  - { id: a, after_message: 47h, text: x }")) == ["a": .afterWriting]
        )
    }

    @Test("where writing is the goal that ends the flow, nothing can follow it")
    func goalEndsFlow() throws {
        let yaml = steps("  - { id: a, after_message: 1m, text: x }", more: "goal: answered\n")
        #expect(try reach(yaml) == ["a": .never])
    }

    @Test("a time of day that is always over when its turn comes is refused")
    func alwaysPast() throws {
        let yaml = steps(
            "  - { id: a, after: 3d, text: x }\n  - { id: b, at: '09:30', day: 1, text: x, otherwise: { hold: 1d } }"
        )
        let found = try findings(yaml)
        #expect(!found.isAccepted)
        #expect(found.first?.step == "b")
    }

    @Test("a table that a message does not open leaves a call's flow without any way")
    func nothingOpens() throws {
        let rules = PermissionRules(name: "none", table: [:])
        #expect(try reach(steps("  - { id: a, after: 1s, text: x }"), rules) == ["a": .never])
        let held = steps("  - { id: a, after: 1s, text: x, otherwise: { hold: 1d } }")
        #expect(try !findings(held, rules).isAccepted)
        #expect(
            try reach(steps("  - { id: a, after: 1s, text: x }", trigger: "api")) == [
                "a": .afterWriting
            ]
        )
    }

    @Test("an unknown variable is an error with the word that was probably meant")
    func unknownVariable() throws {
        let found = try findings(steps("  - { id: a, after: 5s, text: '{{nickmane}}' }"))
        let finding = try #require(found.first { $0.code == "unknown_variable" })
        #expect(finding.severity == .error)
        #expect(finding.message.contains("did you mean 'nickname'"))
        #expect(finding.position == SourcePosition(line: 4, column: 31))
        #expect(
            try findings(
                steps(
                    "  - { id: a, after: 5s, text: '{{gift}}' }",
                    more: "variables: { gift: x }\n"
                )
            ).isAccepted
        )
    }

    @Test("a nickname without default is warned of")
    func nicknameWithoutDefault() throws {
        let found = try findings(steps("  - { id: a, after: 5s, text: '{{nickname}}' }"))
        #expect(found.contains { $0.code == "variable_without_default" && $0.severity == .warning })
        let withDefault = try findings(steps("  - { id: a, after: 5s, text: '{{nickname|你}}' }"))
        #expect(!withDefault.contains { $0.code == "variable_without_default" })
    }

    @Test("quiet hours that would move a step out of its minute are warned of")
    func quietHours() throws {
        let quiet = "quiet_hours: { from: '22:00', to: '07:00' }\n"
        let yaml = steps("  - { id: a, after: 5s, text: x }", more: quiet)
        #expect(try findings(yaml).contains { $0.code == "quiet_hours_window" })
        let ignoring = steps("  - { id: a, after: 5s, text: x, quiet_hours: ignore }", more: quiet)
        #expect(try !findings(ignoring).contains { $0.code == "quiet_hours_window" })
        let night = steps("  - { id: a, at: '23:00', text: x }", more: quiet)
        #expect(try findings(night).contains { $0.code == "in_quiet_hours" })
    }

    @Test(
        "a fallback to a channel that the server does not have is warned of, and skipped when due"
    )
    func missingChannel() throws {
        let yaml = steps(
            "  - { id: a, after: 1h, text: x, otherwise: { template: { template_id: T, data: {} } } }"
        )
        let parsed = try FlowYAML.parse(yaml)
        let found = FlowCheck.report(parsed, rules: .wechat2023, channels: ["wechat", "webhook"])
        #expect(found.contains { $0.code == "no_channel" && $0.severity == .warning })
        let known = FlowCheck.report(parsed, rules: .wechat2023, channels: ["wechat", "template"])
        #expect(!known.contains { $0.code == "no_channel" })
        let lines = FlowSimulator.run(
            parsed.flow,
            rules: .wechat2023,
            scenario: try Scenario.parse(["follow 2026-11-20T10:00"], zone: .shanghai),
            account: FlowAccount(key: "shop", channels: ["wechat"])
        )
        #expect(
            lines.contains { $0.kind == .skipped && $0.reason.contains("no channel 'template'") }
        )
    }

    @Test("a step that is over before it has waited to be merged is refused, unless it is held")
    func expiresBeforeMerge() throws {
        func finding(_ expires: String) throws -> Finding? {
            let merge = "merge: { key: k, grace: 10s, max_wait: 1m }"
            return try findings(
                steps("  - { id: a, after: 5s, text: x, \(merge), expires: \(expires) }")
            ).first { $0.code == "expires_before_merge" }
        }
        let never = try #require(try finding("10s"))
        #expect(never.severity == .error && never.position?.line == 4)
        #expect(never.message.contains("always waits 10s"))
        #expect(try finding("11s")?.severity == .warning)
        #expect(try finding("2m") == nil)
        #expect(try finding("10s, otherwise: { hold: 2m }") == nil)
    }

    @Test("a passive reply needs a callback to answer")
    func replyWithoutCallback() throws {
        let yaml = steps(
            "  - { id: a, after: 5s, text: x }",
            trigger: "api",
            more: "reply: { text: hi }\n"
        )
        #expect(try findings(yaml).contains { $0.code == "reply_without_callback" })
    }

    @Test("a msgmenu is told not to open the long window where later steps need it")
    func msgmenu() throws {
        let yaml = steps(
            "  - { id: a, after: 5s, msgmenu: { list: [{ id: 1, content: x }] } }\n  - { id: b, after: 1h, text: x }"
        )
        #expect(try findings(yaml).contains { $0.code == "msgmenu_tap" && $0.step == "a" })
    }
}
