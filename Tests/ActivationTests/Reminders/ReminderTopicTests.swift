import BelfryActivation
import BelfryCore
import Testing

@Suite("Reminder topics")
struct ReminderTopicTests {
    private let shop = FlowAccount(key: "shop", name: "小店")

    private func fields(_ change: (inout ReminderTopic) -> Void) -> [String] {
        var one = topic("coupon")
        change(&one)
        return one.problems.map(\.field)
    }

    @Test("the push is named by topic and person, due before the opening, over after it")
    func push() throws {
        var one = topic("coupon", in: 600, lead: .seconds(60))
        one.priority = .high
        let push = one.push(for: "o/1")
        #expect(push.id == "reminder/coupon/o/1")
        #expect(ReminderID(push.id) == ReminderID(topic: "coupon", person: "o/1"))
        #expect(push.recipient == Recipient(account: "shop", person: "o/1"))
        #expect(push.due == friday + .seconds(540))
        #expect(push.expires == friday + .seconds(600) + .hours(1))
        #expect(push.priority == .high && push.merge == nil)
        #expect(ReminderID("flow/a/b/c") == nil && ReminderID("reminder/x") == nil)
        _ = try PushBatch([push])
    }

    @Test("each wrong member is named")
    func problems() {
        #expect(fields { _ in } == [])
        for key in ["", "a/b", ".a", "ä", String(repeating: "a", count: 129)] {
            #expect(fields { $0.key = key } == ["topic"], "\(key)")
        }
        #expect(fields { $0.title = "" } == ["title"])
        #expect(fields { $0.lead = .seconds(-1) } == ["lead"])
        #expect(fields { $0.expiresAfter = .days(400) } == ["expires_after"])
        #expect(fields { $0.merge?.grace = .zero } == ["merge/grace"])
        #expect(fields { $0.merge?.maxWait = .seconds(1) } == ["merge/max_wait"])
        #expect(fields { $0.message = "{{nickname}}" } == ["message"])
        #expect(
            fields {
                $0.merge?.mode = .newest
                $0.merge?.message = "x"
            } == ["merge/message"]
        )
    }

    @Test("a reminder that would be over before it can go is refused")
    func neverSent() {
        #expect(fields { $0.expiresAfter = .seconds(90) } == ["expires_after"])
        #expect(fields { $0.expiresAfter = .seconds(91) } == [])
        #expect(
            fields {
                $0.expiresAfter = .seconds(1)
                $0.lead = .seconds(90)
            } == []
        )
        #expect(
            fields {
                $0.expiresAfter = .zero
                $0.merge = nil
            } == ["expires_after"]
        )
        #expect(fields { $0.expiresAfter = nil } == [])
    }

    @Test("what collects on WeChat is a text, or says what several become")
    func collecting() {
        let menu: JSONValue = ["msgtype": "msgmenu", "msgmenu": ["head_content": "x"]]
        #expect(fields { $0.channel = "wechat" } == [])
        #expect(
            fields {
                $0.channel = "wechat"
                $0.message = menu
            } == ["merge/message"]
        )
        #expect(
            fields {
                $0.channel = "wechat"
                $0.message = menu
                $0.merge?.message = "{{titles}}"
            } == []
        )
    }

    // MARK: Messages

    private func message(_ topics: [ReminderTopic], of carrier: Int? = nil) -> ReminderMessage {
        ReminderMessage(
            topics,
            carrier: topics[carrier ?? topics.count - 1],
            to: "o1",
            account: shop
        )
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test("a text becomes the channel's message, its hours those of the account")
    func texts() {
        var one = topic("coupon", channel: "wechat")
        one.title = "满减券"
        one.message = "{{title}} {{date}} {{time}} {{opening}} {{account}} {{openid}} {{topic|-}}"
        #expect(
            text(message([one]).body)
                == #"{"msgtype":"text","text":{"content":"满减券 2026-11-20 10:00 2026-11-20 10:00 小店 o1 coupon"}}"#
        )
        one.opening = friday + .milliseconds(5_250)
        one.message = "{{time}}"
        #expect(text(message([one]).body).contains("10:00:05.250"))
        one.channel = "webhook"
        one.message = ["n": 1, "at": ["{{time}}", true]]
        #expect(text(message([one]).body) == #"{"n":1,"at":["10:00:05.250",true]}"#)
    }

    @Test("without a message there is one that says what opens when")
    func standard() {
        #expect(
            text(message([topic("coupon")]).body)
                == #"{"topic":"coupon","title":"coupon","opening":"2026-11-20 10:00","opening_ms":1795140000000}"#
        )
        #expect(text(message([topic("c", channel: "wechat")]).body).contains("c 2026-11-20 10:00"))
    }

    @Test("several on WeChat are one text of a line each, and a log gets them all")
    func collected() {
        var wechat = [topic("a", channel: "wechat"), topic("b", in: 60, channel: "wechat")]
        for index in wechat.indices { wechat[index].message = "{{title}} {{time}}" }
        #expect(text(message(wechat).body).contains(#""content":"a 10:00\nb 10:01""#))
        let log = message([topic("a"), topic("b", in: 60)])
        #expect(text(log.body).contains(#""topic":"b""#))
        #expect(log.collected.map(text).count == 1)
        #expect(log.collected.map(text).allSatisfy { $0.contains(#""topic":"a""#) })
    }

    @Test("the message for several names them, and what is too long for WeChat is counted")
    func several() {
        var topics = [topic("a", channel: "wechat"), topic("b", in: 60, channel: "wechat")]
        topics[1].merge?.message = "{{count}}: {{titles}}\n{{list}}"
        #expect(
            text(message(topics).body).contains(#""content":"2: a、b\n10:00 a\n10:01 b""#)
        )
        let many = (0..<40).map { index in
            var one = topic("t\(index)", channel: "wechat")
            one.title = String(repeating: "x", count: 200)
            one.message = "{{title}}"
            return one
        }
        let content = (try? JSONValue(parsing: message(many).body))?["text"]?["content"]?.string
        #expect(content.map { $0.utf8.count <= 2048 && $0.hasSuffix("\n… +30") } == true)
    }

    @Test("newest tells of the last one alone")
    func newest() {
        let rule = ReminderMerge(mode: .newest, grace: .seconds(60))
        let topics = [topic("a", merge: rule), topic("b", in: 60, merge: rule)]
        let told = message(topics)
        #expect(told.collected.isEmpty && text(told.body).contains(#""topic":"b""#))
    }
}
