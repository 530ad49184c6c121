import BelfryActivation
import BelfryCore
import Testing

@Suite("Permission rules")
struct PermissionRulesTests {
    @Test("an account's own table is read from YAML, with a preset underneath")
    func ownTable() throws {
        let rules = try PermissionRules.parse(
            Array(
                """
                name: ours
                based_on: wechat-2023
                combine: refresh
                consume: all
                actions:
                  message: { for: 24h, quota: unlimited }
                  scan: none
                """.utf8
            )
        )
        #expect(rules.name == "ours")
        #expect(rules.combination == .refresh)
        #expect(rules.consumption == .all)
        #expect(rules.table[.message] == GrantTerms(duration: .hours(24), quota: nil))
        #expect(rules.table[.scan] == nil)
        #expect(rules.table[.follow] == GrantTerms(duration: .minutes(1), quota: 3))
    }

    @Test("JSON is read too")
    func json() throws {
        let text = #"{"name":"ours","actions":{"follow":{"for":"2m","quota":4}}}"#
        let rules = try PermissionRules.parse(Array(text.utf8))
        #expect(rules.table == [.follow: GrantTerms(duration: .minutes(2), quota: 4)])
    }

    @Test(
        "mistakes are named with their place",
        arguments: [
            ("name: wechat-2023\nactions: {}", "1:7", "preset"),
            ("name: ours\nactions:\n  mesage: none", "3:3", "did you mean 'message'"),
            ("name: ours\nactions:\n  menu: { for: 1m }", "3:9", "'quota' is missing"),
            ("name: ours\nactions:\n  menu: { for: 1m, quota: 0 }", "3:27", "whole number"),
            ("name: ours\nactions:\n  menu: { for: soon, quota: 3 }", "3:16", "span of time"),
            ("name: ours\ncombine: both\nactions: {}", "2:10", "none of"),
            ("actions: {}", "1:1", "'name' is missing"),
            ("[1, 2]", "1:1", "mapping"),
            ("name: [", "2:1", "not valid YAML"),
            ("", "1:1", "empty"),
        ]
    )
    func mistakes(text: String, place: String, words: String) {
        do {
            _ = try PermissionRules.parse(Array(text.utf8))
            Issue.record("accepted: \(text)")
        } catch {
            #expect(
                error.problems.contains {
                    "\($0.position)" == place && $0.description.contains(words)
                },
                "\(error)"
            )
        }
    }

    @Test("presets are found by name, and the unknown is not")
    func presets() {
        #expect(PermissionRules.preset("wechat-2023") == .wechat2023)
        #expect(PermissionRules.preset("wechat-1999") == nil)
        #expect(
            PermissionRules.presets.map(\.name).count
                == Set(PermissionRules.presets.map(\.name)).count
        )
    }

    @Test("a minute is planned as fifty seconds")
    func margin() {
        #expect(GrantTerms(duration: .minutes(1), quota: 3).plannable == .seconds(50))
    }
}
