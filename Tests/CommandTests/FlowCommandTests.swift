import Foundation
import Testing

@Suite("belfry flow, offline")
struct FlowCommandTests {
    private let good = """
        key: welcome
        trigger: follow
        steps:
          - id: hello
            after: 5s
            text: 你好 {{nickname|朋友}}
          - id: offer
            after_message: 2h
            text: 优惠券
            otherwise: skip
        """

    private func check(_ text: String, _ options: String...) async throws -> Program.Result {
        try await Program.run(["flow", "check", "-"] + options, input: text)
    }

    @Test("a good flow is told whom each step reaches, and ends with 0")
    func accepted() async throws {
        let result = try await check(good)
        #expect(result.code == 0)
        #expect(result.out.contains("-:5:12: note: step hello: reachable for everyone"))
        #expect(result.out.contains("step offer: reachable only after the person writes"))
        #expect(result.out.hasSuffix("-: ok: flow welcome, 2 steps\n"))
        #expect(try await check(good, "--quiet").out == "-: ok: flow welcome, 2 steps\n")
    }

    @Test("an unknown key is told with its line and column, and the nearest known one")
    func unknownKey() async throws {
        let result = try await check(good.replacing("    after: 5s", with: "    afer: 5s"))
        #expect(result.code == 65)
        #expect(
            result.out.contains("-:5:5: error: steps[0]: unknown key 'afer'; did you mean 'after'?")
        )
        #expect(result.out.hasSuffix("-: refused\n"))
    }

    @Test("YAML that is none is told with its place")
    func brokenYAML() async throws {
        let result = try await check("key: welcome\nsteps: [\n")
        #expect(result.code == 65)
        #expect(result.out.contains("-:3:1: error: not valid YAML"))
    }

    @Test("a step that can never be sent and names no fallback is refused")
    func unreachable() async throws {
        let result = try await check(
            good.replacing("after_message: 2h", with: "after_message: 72h"),
            "--json"
        )
        #expect(result.code == 65)
        let report = try #require(
            try JSONSerialization.jsonObject(with: Data(result.out.utf8)) as? [String: Any]
        )
        #expect(report["ok"] as? Bool == false)
        #expect(result.out.contains(#""code":"unreachable""#))
        #expect(result.out.contains(#""line":8"#))
    }

    @Test("other rules reach other steps")
    func rules() async throws {
        let late = good.replacing("after: 5s", with: "after: 2h")
        #expect(try await check(late, "--rules", "legacy-48h").code == 0)
        let unknown = try await check(good, "--rules", "wechat-2032")
        #expect(unknown.code == 65)
        #expect(unknown.err.contains("wechat-2023"))
    }

    @Test("two files of the same key are refused")
    func sameKey() async throws {
        let path = FileManager.default.temporaryDirectory.path() + "/flow-\(UUID()).yaml"
        try good.write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let result = try await Program.run(["flow", "check", path, path])
        #expect(result.code == 65)
        #expect(result.out.contains("the key 'welcome' is that of"))
    }

    @Test("a file that is not there ends with 74")
    func missing() async throws {
        #expect(try await Program.run(["flow", "check", "/nowhere.yaml"]).code == 74)
    }

    @Test("a simulation tells what is sent, when and why, on virtual time")
    func simulate() async throws {
        let result = try await Program.run(
            [
                "flow", "simulate", "-", "--at", "follow 2026-11-20T09:00", "--at",
                "message 2026-11-20T09:10 你好", "--var", "nickname=小王",
            ],
            input: good
        )
        #expect(result.code == 0)
        #expect(result.out.contains("2026-11-20 09:00:05  sent  welcome/hello  你好 小王"))
        #expect(result.out.contains("2026-11-20 11:10:00  sent  welcome/offer  优惠券"))
    }

    @Test("a simulation's unsubscribe cancels, in JSON")
    func unsubscribe() async throws {
        let result = try await Program.run(
            [
                "flow", "simulate", "-", "--json", "--scenario", "/dev/null", "--at",
                "follow 2026-11-20T09:00", "--at", "unfollow 2026-11-20T09:00:02",
            ],
            input: good
        )
        #expect(result.code == 0)
        #expect(result.out.contains(#""kind":"cancelled""#))
        #expect(!result.out.contains(#""kind":"sent""#))
    }

    @Test("an act that cannot be read is told by its number")
    func badAct() async throws {
        let result = try await Program.run(
            ["flow", "simulate", "-", "--at", "follow 2026-11-20T09:00", "--at", "folow now"],
            input: good
        )
        #expect(result.code == 65)
        #expect(result.err == "belfry: act 2: 'folow' is no act; did you mean 'follow'?\n")
    }
}
