import BelfryWeChat
import Testing

@Suite("Template messages and subscribe notifications")
struct TemplateMessageTests {
    private func template(_ json: String) throws -> TemplateMessage {
        let message = try TemplateMessage(json: Array(json.utf8))
        try message.validate()
        return message
    }

    private func problem(_ interface: WeChatInterface, _ json: String) -> String? {
        do {
            try interface.check(json: Array(json.utf8))
            return nil
        } catch {
            return error.description
        }
    }

    @Test("a template message is read and written in WeChat's words, as raw UTF-8, in order")
    func template() throws {
        let message = try template(
            """
            {"template_id":"T1","url":"https://example.com/a?b=1&c=2",
            "miniprogram":{"appid":"wx1","pagepath":"pages/a"},
            "data":{"thing2":{"value":"你好 </b>","color":"#173177"},"keyword1":{"value":"a\\nb"}}}
            """
        )
        #expect(message.fields.map(\.name) == ["thing2", "keyword1"])
        #expect(
            String(decoding: message.json(to: "o1", named: "c1"), as: UTF8.self)
                == #"{"touser":"o1","template_id":"T1","url":"https://example.com/a?b=1&c=2","#
                + #""miniprogram":{"appid":"wx1","pagepath":"pages/a"},"client_msg_id":"c1","#
                + #""data":{"thing2":{"value":"你好 </b>"},"keyword1":{"value":"a\nb"}}}"#
        )
    }

    @Test("a notification is read and written in WeChat's words")
    func notification() throws {
        let json =
            #"{"template_id":"T1","page":"https://example.com","data":{"thing1":{"value":"好"}}}"#
        let notification = try SubscribeNotification(json: Array(json.utf8))
        try notification.validate()
        #expect(
            String(decoding: notification.json(to: "o1"), as: UTF8.self)
                == #"{"touser":"o1","#
                + #""template_id":"T1","page":"https://example.com","data":{"thing1":{"value":"好"}}}"#
        )
    }

    @Test("a notification opens web pages alone", arguments: ["javascript:alert(1)", "pages/a"])
    func notificationPage(page: String) throws {
        let json = #"{"template_id":"T1","page":"\#(page)","data":{"thing1":{"value":"x"}}}"#
        let notification = try SubscribeNotification(json: Array(json.utf8))
        #expect(throws: InvalidMessage.self) { try notification.validate() }
    }

    @Test(
        "what WeChat would refuse is named by its field before it is scheduled",
        arguments: [
            (#"{"data":{}}"#, "template_id: is missing"),
            (#"{"template_id":"","data":{}}"#, "template_id: must not be empty"),
            (#"{"template_id":"T"}"#, "data: is missing"),
            (#"{"template_id":"T","data":{},"touser":"o"}"#, "touser: is given by the recipient"),
            (#"{"template_id":"T","data":{},"page":"p"}"#, "page: is not known here"),
            (#"{"template_id":"T","data":{"a b":{"value":"x"}}}"#, "data: 'a b' is no name"),
            (#"{"template_id":"T","data":{"a":"x"}}"#, "data.a: must be an object"),
            (#"{"template_id":"T","data":{"a":{}}}"#, "data.a.value: is missing"),
            (#"{"template_id":"T","data":{"a":{"value":""}}}"#, "data.a.value: must not be empty"),
            (#"{"template_id":"T","data":{},"url":"ftp://x"}"#, "url: must begin with http"),
            (
                #"{"template_id":"T","data":{},"miniprogram":{"appid":"wx1"}}"#,
                "miniprogram.pagepath: is missing"
            ),
            (
                #"{"template_id":"T","data":{"thing1":{"value":"a\nb"}}}"#,
                "data.thing1.value: must not hold a line break"
            ),
        ]
    )
    func refused(_ json: String, _ words: String) throws {
        let found = try #require(problem(.template, json))
        #expect(found.hasPrefix(words), "\(found)")
    }

    @Test("only a notification's fields have to be of a known kind")
    func typed() {
        let json = #"{"template_id":"T","data":{"keyword1":{"value":"x"}}}"#
        #expect(problem(.template, json) == nil)
        #expect(problem(.subscribe, json)?.hasPrefix("data.keyword1: has to begin with") == true)
    }

    @Test(
        "each kind of field takes the values of WeChat's table, and no others",
        arguments: [
            ("thing1", ["二十个字二十个字二十个字二十个字二十个字", "a 1!"], ["二十个字二十个字二十个字二十个字二十个字。", ""]),
            (
                "number1", ["1", "12.50", String(repeating: "9", count: 32)],
                ["1a", "1.2.3", "-", "一"]
            ),
            ("letter1", ["abcXYZ"], ["a1", "字", String(repeating: "a", count: 33)]),
            ("symbol1", ["~!@#", "★"], ["a", "~!@#$%"]),
            ("character_string1", ["NO-17/a"], ["编号", String(repeating: "a", count: 33)]),
            (
                "time1",
                ["15:01", "2026-11-20 15:01", "2026年11月20日 9:30", "15:01~16:00"],
                ["25:00", "15:60", "2026-11-20", "soon", "15:01~16:00~17:00"]
            ),
            (
                "date1",
                ["2026-11-20", "2026/11/20", "2026年11月20日", "2026年11月20日 15:01"],
                ["11-20", "2026-13-01", "2026-11-32", "15:01"]
            ),
            ("amount1", ["￥100.50", "100元", "1234567890"], ["12345678901", "free", "￥￥1"]),
            ("phone_number1", ["+86-0766-66888866"], ["call me", "+86-0766-668888660"]),
            ("car_number1", ["粤A8Z888挂"], ["粤A8Z888挂1", "A-1"]),
            ("name1", ["李雷", "Han Meimei"], ["七七七七七七七七七七七", "R2D2"]),
            ("phrase1", ["已发货"], ["已经发货了吗", "sent"]),
        ]
    )
    func values(_ name: String, _ right: [String], _ wrong: [String]) {
        for value in right {
            #expect(throws: Never.self) {
                try TemplateField(name, value).validate(isTyped: true)
            }
        }
        for value in wrong {
            #expect(throws: InvalidMessage.self, "\(name): \(value)") {
                try TemplateField(name, value).validate(isTyped: false)
            }
        }
    }
}
