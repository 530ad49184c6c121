import BelfryActivation
import BelfryCore
import Testing

@Suite("Flows in YAML")
struct FlowYAMLTests {
    @Test("everything a flow can say is read")
    func everything() throws {
        let flow = try FlowYAML.parse(fullFlow).flow
        #expect(flow.key == "full")
        #expect(flow.trigger == .follow(scenes: [ScenePattern("spring-*"), ScenePattern("door")]))
        #expect(flow.zone?.name == "Asia/Shanghai")
        #expect(flow.reentry == .once)
        #expect(flow.conditions.withoutTags == ["staff"])
        #expect(flow.reply?.type == "text")
        #expect(flow.quietHours?.length == .hours(9))
        let variables: [String: String?] = ["gift": "礼包", "code": nil]
        #expect(flow.variables == variables)
        #expect(!flow.tracksLinks)
        #expect(flow.goal == FlowGoal(.event("bought"), stops: false))
        #expect(
            flow.steps.map(\.timing) == [
                .immediately, .after(.hours(2) + .minutes(30)), .afterEntry(.days(1)),
                .afterMessage(.minutes(5), wait: .days(3)), .at(LocalTime(minutes: 570), day: 2),
            ]
        )
        let picture = flow.steps[1]
        #expect(
            picture.message.files == [
                MessageFile(member: "media_id", kind: "image", path: "a/b.png")
            ]
        )
        #expect(picture.priority == .urgent)
        #expect(
            picture.merge
                == MergeRule(key: "m", grace: .seconds(5), maxWait: .seconds(50), mode: .collect)
        )
        #expect(picture.ignoresQuietHours)
        #expect(picture.otherwise == .hold(.hours(12)))
        #expect(picture.expires == .hours(1))
        #expect(flow.steps[2].conditions.answered == false)
        #expect(flow.steps[3].message.extras.map(\.key) == ["customservice", "aimsgcontext"])
        guard case .channel(let other)? = flow.steps[4].otherwise else {
            Issue.record("no other channel")
            return
        }
        #expect(other.kind == .template && other.templateID == "T1")
    }

    @Test("what is exported reads back as the same flow")
    func roundTrip() throws {
        for text in [fullFlow, hello] {
            let flow = try FlowYAML.parse(text).flow
            let exported = FlowYAML.export(flow)
            #expect(try FlowYAML.parse(exported).flow == flow, "\(exported)")
        }
    }

    @Test("texts of every kind survive the way out and back")
    func roundTripTexts() throws {
        let texts = [
            "null", "~", "true", "1", "09:30", "- a", "a: b", "{x}", "# no comment", "emoji 🎉",
            "two\nlines", "two\nlines\n", "  spaced", "tab\there", "quote \" and ' here", "'",
            "@at",
            "line with trailing space \nnext", "\n\nleading newlines", "yes", "0x1F", "1e3", "!tag",
            "&anchor", "*alias", "%percent", "`tick`", "100%", "a #b", "x\r\ny",
        ]
        var flow = try FlowYAML.parse(hello).flow
        for text in texts {
            flow.name = text.contains("\n") ? "n" : text
            flow.steps[0].message = .text(text)
            let exported = FlowYAML.export(flow)
            let read = try FlowYAML.parse(exported).flow
            #expect(read == flow, "\(text.debugDescription) -> \(exported)")
        }
    }

    @Test(
        "mistakes are named with line, column and what was probably meant",
        arguments: [
            ("key: a\ntriger: follow\nsteps: []", "2:1", "did you mean 'trigger'"),
            ("key: a\ntrigger: folow\nsteps: []", "2:10", "did you mean 'follow'"),
            ("key: A b\ntrigger: follow\nsteps: []", "1:6", "may only have"),
            ("key: a\ntrigger: follow\nsteps: []", "3:8", "has no step"),
            ("key: a\ntrigger: follow", "1:1", "'steps' is missing"),
            ("key: a\ntrigger: menu\nsteps: []", "2:10", "needs the key"),
            ("key: a\ntrigger: { follow: { scen: x } }\nsteps: []", "2:22", "did you mean 'scene'"),
            ("key: a\ntrigger: { follow: { scene: a*b } }\nsteps: []", "2:29", "end of a scene"),
            ("key: a\ntime_zone: Mars/Base\ntrigger: api\nsteps: []", "2:12", "no time zone"),
            ("key: a\ntime_zone: CST\ntrigger: api\nsteps: []", "2:12", "no time zone"),
            (
                "key: a\nquiet_hours: {from: '22:00', to: '22:00'}\ntrigger: api\nsteps: []",
                "2:14", "same time"
            ),
            (
                "key: a\nquiet_hours: {from: '25:00', to: '07:00'}\ntrigger: api\nsteps: []",
                "2:21", "time of day"
            ),
            ("key: a\nkey: b\ntrigger: api\nsteps: []", "1:1", "more than once"),
            ("key: a\n\ttrigger: api", "2:1", "not valid YAML"),
            ("key: a\n---\nkey: b", "2:1", "not valid YAML"),
            ("key: &x a\nname: *x\ntrigger: api\nsteps: []", "2:7", "aliases"),
            ("key: a\nvariables: {nickname: x}\ntrigger: api\nsteps: []", "2:23", "known already"),
            ("just words", "1:1", "mapping"),
        ]
    )
    func mistakes(text: String, place: String, words: String) { expect(text, place, words) }

    @Test(
        "mistakes in a step are named with line and column",
        arguments: [
            ("- { after: 5s, text: x }", "4:5", "'id' is missing"),
            ("- { id: s, text: x }", "4:5", "says no moment"),
            ("- { id: s, after: 5s, at: '09:30', text: x }", "4:5", "more than one moment"),
            ("- { id: s, after: 5 s, text: x }", "4:21", "no span of time"),
            ("- { id: s, after: 5, text: x }", "4:21", "no span of time"),
            ("- { id: s, after: 9999999999999999999d, text: x }", "4:21", "no span of time"),
            ("- { id: s, after: 73000d, text: x }", "4:21", "out of range"),
            ("- { id: s, after: -5s, text: x }", "4:21", "no span of time"),
            ("- { id: s, at: '9.30', text: x }", "4:18", "time of day"),
            ("- { id: s, at: '09:30', day: 73000, text: x }", "4:32", "whole number"),
            ("- { id: s, after: 5s, day: 1, text: x }", "4:30", "only goes with 'at'"),
            ("- { id: s, when: later, text: x }", "4:20", "none of 'immediately'"),
            ("- { id: s, after: 5s }", "4:5", "says no message"),
            (
                "- { id: s, after: 5s, text: x, image: {media_id: m} }", "4:5",
                "more than one message"
            ),
            ("- { id: s, after: 5s, txet: x }", "4:25", "did you mean 'text'"),
            ("- { id: s, after: 5s, text: '' }", "4:31", "is empty"),
            ("- { id: s, after: 5s, image: {} }", "4:32", "(or 'file') is missing"),
            ("- { id: s, after: 5s, image: {file: ../../etc/passwd} }", "4:39", "media folder"),
            ("- { id: s, after: 5s, image: {file: /etc/passwd} }", "4:39", "media folder"),
            ("- { id: s, after: 5s, image: {file: a, media_id: b} }", "4:39", "stands beside"),
            (
                "- { id: s, after: 5s, news: {articles: [{title: a, url: b}, {title: c, url: d}]} }",
                "4:42", "exactly 1"
            ),
            ("- { id: s, after: 5s, text: x, priority: hihg }", "4:44", "did you mean 'high'"),
            ("- { id: s, after: 5s, text: x, otherwise: hold }", "4:45", "none of 'skip'"),
            (
                "- { id: s, after: 5s, text: x, otherwise: {template: {data: {}}} }", "4:56",
                "'template_id' is missing"
            ),
            (
                "- { id: s, after: 5s, text: x, merge: {key: m, grace: 2m, max_wait: 1m} }", "4:41",
                "longer than"
            ),
            (
                "- { id: s, after: 5s, text: x, merge: {key: m, max_wait: 50d} }", "4:60",
                "out of range"
            ),
            ("- { id: s, after: 5s, text: x, only_if: {answered: maybe} }", "4:54", "none of"),
            (
                "- { id: s, after: 5s, text: x }\n  - { id: s, after: 5s, text: y }", "5:5",
                "is taken by the step at 4:5"
            ),
        ]
    )
    func stepMistakes(step: String, place: String, words: String) {
        expect("key: a\ntrigger: follow\nsteps:\n  \(step)\n", place, words)
    }

    @Test("all mistakes are told at once, in order")
    func allAtOnce() {
        do {
            _ = try FlowYAML.parse(
                "kee: a\ntrigger: nothing\nsteps:\n  - { id: 'A B', after: x }\n"
            )
            Issue.record("accepted")
        } catch {
            #expect(error.problems.count >= 5, "\(error)")
            #expect(error.problems.map(\.position) == error.problems.map(\.position).sorted())
        }
    }

    @Test("invalid UTF-8 is named with its place")
    func invalidUTF8() {
        do {
            _ = try FlowYAML.parse(Array("key: a\nname: 你".utf8) + [0xFF, 0xFE])
            Issue.record("accepted")
        } catch {
            #expect(error.problems.first?.position == SourcePosition(line: 2, column: 8))
        }
    }

    @Test("a text over 2048 bytes, a key of 10 kB and a file over the limit are refused")
    func tooLarge() {
        let text = String(repeating: "好", count: 700)
        expect(
            "key: a\ntrigger: follow\nsteps:\n  - { id: s, after: 5s, text: \(text) }",
            "4:31",
            "2100 bytes"
        )
        expect(
            "key: \(String(repeating: "k", count: 10_240))\ntrigger: api\nsteps: []",
            "1:6",
            "at most 64"
        )
        expect(String(repeating: "# comment\n", count: 30_000), "1:1", "at most 262144")
    }

    @Test("a misspelt key is told once, not once more as missing")
    func toldOnce() {
        let text = "key: a\ntriger: follow\nsteps:\n  - { id: s, aftr: 5s, txt: x }\n"
        do {
            _ = try FlowYAML.parse(text)
            Issue.record("accepted")
        } catch {
            #expect(error.problems.compactMap(\.suggestion) == ["trigger", "after", "text"])
            #expect(error.problems.count == 3, "\(error)")
        }
    }

    @Test("deep nesting is refused with a word, not with a crash")
    func deepNesting() {
        let deep = String(repeating: "[", count: 990) + String(repeating: "]", count: 990)
        expect(deep, "1:1", "has to be a mapping")
        expect("key: \(deep)\ntrigger: api\nsteps: []", "1:6", "single value")
        expect(String(repeating: "- ", count: 990) + "x", "1:1", "has to be a mapping")
        let body = String(repeating: "{a: ", count: 900) + "1" + String(repeating: "}", count: 900)
        expect(
            "key: a\ntrigger: follow\nsteps:\n  - { id: s, after: 1h, text: x, otherwise: { webhook: \(body) } }",
            nil,
            "nested"
        )
    }

    @Test("a bomb of aliases and a tower of brackets are refused without unfolding them")
    func bombs() {
        var bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
        for (before, name) in zip("abcdefghij", "bcdefghijk") {
            bomb +=
                "\(name): &\(name) ["
                + Array(repeating: "*\(before)", count: 10)
                .joined(separator: ", ") + "]\n"
        }
        expect(bomb, "2:8", "aliases")
        expect(String(repeating: "[", count: 100_000), nil, "not valid YAML")
    }

    private func expect(_ text: String, _ place: String?, _ words: String) {
        do {
            _ = try FlowYAML.parse(text)
            Issue.record("accepted: \(text.prefix(200))")
        } catch {
            #expect(
                error.problems.contains {
                    (place == nil || "\($0.position)" == place) && $0.description.contains(words)
                },
                "\(error)"
            )
        }
    }
}

/// A flow that uses every key.
let fullFlow = """
    key: full
    name: 全部
    trigger: { follow: { scene: [spring-*, door] } }
    time_zone: Asia/Shanghai
    reentry: once
    only_if: { not_tag: staff }
    reply: { text: 欢迎 }
    quiet_hours: { from: "22:00", to: "07:00" }
    variables:
      gift: 礼包
      code:
    track_links: false
    goal: { event: bought, stops: false }
    steps:
      - id: menu
        when: immediately
        msgmenu:
          head_content: 选一个
          list: [{ id: 1, content: 甲 }, { id: 2, content: 乙 }]
          tail_content: 谢谢
      - id: picture
        after: 2h30m
        image: { file: a/b.png }
        priority: urgent
        merge: { key: m, grace: 5s, max_wait: 50s }
        quiet_hours: ignore
        otherwise: { hold: 12h }
        expires: 1h
      - id: card
        after_entry: 1d
        miniprogrampage: { title: 卡片, appid: wx1, pagepath: p, thumb_media_id: M }
        only_if: { answered: false, tag: [a, b] }
        otherwise: { hold: 1h }
      - id: answer
        after_message: 5m
        wait: 3d
        text: "{{gift}} {{code|无}}"
        customservice: agent@shop
        ai_generated: true
      - id: later
        at: "09:30"
        day: 2
        news: { title: 标题, url: "https://example.com" }
        otherwise:
          template: { template_id: T1, data: { first: { value: 你好 } } }
    """
