import BelfryActivation
import BelfryCore
import Testing

@Suite("Flow simulation")
struct FlowSimulatorTests {
    private func run(_ yamls: [String], _ acts: [String], _ rules: PermissionRules = .wechat2023)
        throws -> [String]
    {
        let lines = FlowSimulator.run(
            try yamls.map { try FlowYAML.parse($0).flow },
            rules: rules,
            scenario: try Scenario.parse(acts, zone: .shanghai)
        )
        return lines.filter { ![.act, .planned, .entered].contains($0.kind) }.map {
            let name = [$0.flow, $0.step].compactMap(\.self).joined(separator: "/")
            return "\($0.local.dropFirst(5)) \($0.kind.rawValue) \(name)"
        }
    }

    @Test(
        "whoever follows at 02:30 gets in the morning, in order and spacing, what was meant for the night"
    )
    func quietHours() throws {
        let yaml = """
            key: f
            trigger: follow
            quiet_hours: { from: "00:00", to: "07:00" }
            steps:
              - { id: a, after: 1m, text: x }
              - { id: b, after_entry: 5m, text: x }
              - { id: c, after: 5m, text: x }
            """
        #expect(
            try run([yaml], ["follow 2026-11-20T02:30"], .legacy48h) == [
                "11-20 02:30:00 shifted f/a",
                "11-20 07:01:00 sent f/a",
                "11-20 07:05:00 sent f/b",
                "11-20 07:10:00 sent f/c",
                "11-20 07:10:00 ended f",
            ]
        )
    }

    @Test("today's rule: a follow reaches one minute, a message opens the rest")
    func todaysRule() throws {
        let yaml = """
            key: f
            trigger: follow
            steps:
              - { id: a, after: 5s, text: "回复 1" }
              - { id: b, after: 1h, text: x }
              - { id: c, after: 1h, text: x, otherwise: { hold: 12h } }
              - { id: d, after: 10s, text: x }
            """
        #expect(
            try run([yaml], ["follow 2026-11-20T10:00", "message 2026-11-20T14:00 1"]) == [
                "11-20 10:00:05 sent f/a",
                "11-20 11:00:05 skipped f/b",
                "11-20 12:00:05 held f/c",
                "11-20 14:00:00 sent f/c",
                "11-20 14:00:10 sent f/d",
                "11-20 14:00:10 ended f",
            ]
        )
    }

    @Test("an unsubscribe cancels everything, a re-follow begins anew")
    func leaveAndReturn() throws {
        let yaml = """
            key: f
            trigger: follow
            steps:
              - { id: a, after: 5s, text: x }
              - { id: b, after: 20s, text: x }
            """
        #expect(
            try run(
                [yaml],
                [
                    "follow 2026-11-20T10:00", "unfollow 2026-11-20T10:00:10",
                    "follow 2026-11-20T11:00",
                ]
            ) == [
                "11-20 10:00:05 sent f/a",
                "11-20 10:00:10 cancelled f/b",
                "11-20 11:00:05 sent f/a",
                "11-20 11:00:25 sent f/b",
                "11-20 11:00:25 ended f",
            ]
        )
    }

    @Test("steps of two flows that fall together become one message, and both flows go on")
    func merged() throws {
        func yaml(_ key: String, _ delay: String) -> String {
            """
            key: \(key)
            trigger: message
            steps:
              - { id: a, after: \(delay), text: x, merge: { key: m, grace: 5s, max_wait: 20s } }
              - { id: b, after: 1m, text: x }
            """
        }
        #expect(
            try run([yaml("f", "1m"), yaml("g", "63s")], ["message 2026-11-20T10:00 hi"]) == [
                "11-20 10:01:08 sent g/a",
                "11-20 10:01:08 merged f/a",
                "11-20 10:02:08 sent f/b",
                "11-20 10:02:08 ended f",
                "11-20 10:02:08 sent g/b",
                "11-20 10:02:08 ended g",
            ]
        )
    }

    @Test("a scene's flow replaces the general one, and conditions are asked when sending")
    func sceneAndTags() throws {
        let general = "key: g\ntrigger: follow\nsteps: [{ id: a, after: 5s, text: x }]"
        let scene = """
            key: s
            trigger: { follow: { scene: spring-* } }
            steps:
              - { id: a, after: 5s, text: x, only_if: { tag: vip } }
              - { id: b, after: 5s, text: x, only_if: { tag: vip } }
            """
        #expect(
            try run(
                [general, scene],
                ["follow 2026-11-20T10:00 spring-1", "tag 2026-11-20T10:00:07 vip"]
            ) == [
                "11-20 10:00:05 skipped s/a",
                "11-20 10:00:10 sent s/b",
                "11-20 10:00:10 ended s",
            ]
        )
    }

    @Test(
        "acts that cannot be read are named",
        arguments: [
            ("folow 2026-11-20T10:00", "did you mean 'follow'"), ("", "is no act"),
            ("follow", "no time"), ("follow tomorrow", "'tomorrow' is no time"),
            ("menu 2026-11-20T10:00", "needs a name"),
            ("api 2026-11-20T10:00 coupon", "no name=value"),
            ("message 2226-99-20T10:00 x", "no time"),
            (String(repeating: "x", count: 10_240), "is no act"),
        ]
    )
    func badActs(line: String, words: String) {
        do {
            _ = try Scenario.parse(["follow 2026-11-20T10:00", line], zone: .shanghai)
            Issue.record("accepted")
        } catch {
            #expect(error.line == 2 && error.problem.contains(words), "\(error)")
        }
    }

    @Test("the acts are played in order of time, however they are written down")
    func order() throws {
        let scenario = try Scenario.parse(
            ["message 2026-11-20T10:05 later", "follow 2026-11-20T10:00"],
            zone: .shanghai
        )
        #expect(scenario.acts.first?.what == .event(.follow(scene: nil)))
    }
}
