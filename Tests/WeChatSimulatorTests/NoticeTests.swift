import Testing

@testable import BelfryWeChatSimulator

@Suite("Template messages and subscribe notifications")
struct NoticeTests {
    private static let long = String(repeating: "好", count: 21)

    private func template(
        _ bench: Bench,
        to openID: String,
        data: String = #"{"thing1":{"value":"你好"}}"#,
        more: String = ""
    ) -> JSONValue {
        bench.call(
            "message/template/send",
            #"{"touser":"\#(openID)","template_id":"T1","data":\#(data)\#(more)}"#
        )
    }

    private func notify(_ bench: Bench, to openID: String, template: String = "T1") -> Int64? {
        bench.call(
            "message/subscribe/bizsend",
            #"{"touser":"\#(openID)","template_id":"\#(template)","data":{"thing1":{"value":"hi"}}}"#
        )["errcode"]?.integer
    }

    @Test("a template message needs no window but a follower, and its msgid is beyond 2^53")
    func follower() async throws {
        let bench = Bench()
        let openID = try await bench.person(.follow())
        bench.clock.advance(seconds: 86_400)
        #expect(bench.sendText("hi", to: openID) == 45_015)
        let answer = template(bench, to: openID)
        #expect(answer["errcode"] == 0)
        #expect(try #require(answer["msgid"]?.integer) > 1 << 53)
        let seen = try #require(
            bench.simulator.deliveries(to: openID, of: bench.account.appID).last
        )
        #expect(seen.kind == .template && seen.templateID == "T1")
        #expect(seen.values == ["thing1": "你好"])
        try await bench.simulator.unfollow(bench.account.appID, openID: openID)
        #expect(template(bench, to: openID)["errcode"] == 43_004)
        #expect(template(bench, to: "nobody")["errcode"] == 40_003)
        #expect(bench.simulator.summary.template == 1)
    }

    @Test(
        "a value that breaks the rule of its field is refused with 47003, and the field is named",
        arguments: [
            (#"{"thing1":{"value":"\#(long)"}}"#, "data.thing1.value"),
            (#"{"thing1":{"value":""}}"#, "data.thing1.value"),
            (#"{"thing1":{"value":"a\nb"}}"#, "data.thing1.value"),
            (#"{"thing1":"bare"}"#, "data.thing1.value"),
            (#"{"number2":{"value":"12a"}}"#, "data.number2.value"),
            (#"{"phrase3":{"value":"sent"}}"#, "data.phrase3.value"),
            (#"{"phrase3":{"value":"已经发货了吗"}}"#, "data.phrase3.value"),
            (#"{"name4":{"value":"七七七七七七七七七七七"}}"#, "data.name4.value"),
            (#"{"time5":{"value":"tomorrow"}}"#, "data.time5.value"),
            (#"{"letter6":{"value":"a1"}}"#, "data.letter6.value"),
            (#"{"character_string7":{"value":"编号"}}"#, "data.character_string7.value"),
            (#"{"amount8":{"value":"free"}}"#, "data.amount8.value"),
            (#""none""#, "data"),
        ]
    )
    func values(_ data: String, _ field: String) async throws {
        let bench = Bench()
        let openID = try await bench.person(.follow())
        let answer = template(bench, to: openID, data: data)
        #expect(answer["errcode"] == 47_003)
        #expect(answer["errmsg"]?.string?.contains("\(field) invalid") == true)
        #expect(bench.simulator.summary.refusedByCode[47_003] == 1)
    }

    @Test("values within the rules of their fields are taken")
    func rightValues() async throws {
        let bench = Bench()
        let openID = try await bench.person(.follow())
        let data = """
            {"thing1":{"value":"二十个字二十个字二十个字二十个字二十个字"},"number2":{"value":"12.5"},
            "amount3":{"value":"￥100.00元"},"time4":{"value":"2026年11月20日 15:01"},
            "date5":{"value":"2026-11-20"},"phrase6":{"value":"已发货"},"name7":{"value":"李雷"},
            "character_string8":{"value":"NO-17"},"phone_number9":{"value":"+86-0766-66888866"},
            "car_number10":{"value":"粤A8Z888挂"},"letter11":{"value":"abc"},"symbol12":{"value":"~!"},
            "keyword1":{"value":"any words"}}
            """
        #expect(template(bench, to: openID, data: data)["errcode"] == 0)
    }

    @Test("templates and fields that the account does not have are refused")
    func templates() async throws {
        let bench = Bench { $0.templates = ["T1": ["thing1"], "T2": ["thing1", "thing2"]] }
        let openID = try await bench.person(.follow())
        #expect(template(bench, to: openID)["errcode"] == 0)
        let other = bench.call(
            "message/template/send",
            #"{"touser":"\#(openID)","template_id":"T9","data":{}}"#
        )
        #expect(other["errcode"] == 40_037)
        let missing = bench.call(
            "message/template/send",
            #"{"touser":"\#(openID)","template_id":"T2","data":{"thing1":{"value":"a"}}}"#
        )
        #expect(missing["errcode"] == 47_003)
        let program = template(bench, to: openID, more: #","miniprogram":{"appid":"wx1"}"#)
        #expect(program["errcode"] == 40_165)
    }

    @Test("the same client_msg_id within ten minutes is sent once, and answered alike")
    func repeated() async throws {
        let bench = Bench()
        let openID = try await bench.person(.follow())
        let first = template(bench, to: openID, more: #","client_msg_id":"c1""#)
        bench.clock.advance(seconds: 599)
        #expect(
            template(bench, to: openID, more: #","client_msg_id":"c1""#)["msgid"] == first["msgid"]
        )
        #expect(bench.simulator.summary.template == 1)
        #expect(
            template(bench, to: openID, more: #","client_msg_id":"c2""#)["msgid"] != first["msgid"]
        )
        bench.clock.advance(seconds: 1)
        #expect(
            template(bench, to: openID, more: #","client_msg_id":"c1""#)["msgid"] != first["msgid"]
        )
        #expect(bench.simulator.summary.template == 3)
    }

    @Test("one accept is one notification; several add up; a withdrawal ends them all")
    func consents() async throws {
        let bench = Bench()
        let openID = try await bench.person(.follow())
        #expect(notify(bench, to: openID) == 43_101)
        try await bench.simulator.perform(
            .answerConsent([ConsentAnswer("T1"), ConsentAnswer("T2", accepted: false)]),
            by: openID,
            of: bench.account.appID
        )
        #expect(notify(bench, to: openID, template: "T2") == 43_101)
        #expect(notify(bench, to: openID) == 0)
        #expect(notify(bench, to: openID) == 43_101)
        for _ in 0..<3 {
            try await bench.simulator.perform(
                .answerConsent([ConsentAnswer("T1")]),
                by: openID,
                of: bench.account.appID
            )
        }
        #expect(notify(bench, to: openID) == 0)
        #expect(notify(bench, to: openID) == 0)
        try await bench.simulator.perform(
            .withdrawConsent(["T1"]),
            by: openID,
            of: bench.account.appID
        )
        #expect(notify(bench, to: openID) == 43_101)
        #expect(bench.simulator.summary.subscribe == 3)
        #expect(bench.simulator.summary.refusedWithoutPermission == 4)
    }

    @Test(
        "what became of a template message is told in WeChat's words",
        arguments: [
            (NoticeResult.success, "success"), (.userBlock, "failed:user block"),
            (.systemFailed, "failed: system failed"),
        ]
    )
    func finished(_ result: NoticeResult, _ words: String) async throws {
        let sink = CallbackSink()
        try await sink.serve { url in
            let bench = Bench {
                $0.callbackURL = url
                $0.mode = .plain
                $0.noticeResult = result
            }
            let openID = try await bench.person(.follow())
            let id = try #require(template(bench, to: openID)["msgid"]?.integer)
            let reports = try await bench.simulator.reportNotices(of: bench.account.appID)
            #expect(reports.map(\.isAnswered) == [true])
            let body = try #require(sink.received.last).body
            #expect(body.contains("<Event><![CDATA[TEMPLATESENDJOBFINISH]]></Event>"))
            #expect(body.contains("<MsgID>\(id)</MsgID><Status><![CDATA[\(words)]]></Status>"))
            #expect(bench.simulator.summary.template == (result == .success ? 1 : 0))
            #expect(bench.simulator.summary.noticesLost == (result == .success ? 0 : 1))
            #expect(try await bench.simulator.reportNotices(of: bench.account.appID).isEmpty)
        }
    }

    @Test(
        "notifications that wait together are told in one event, as a list",
        arguments: [
            (AccountSettings.BodyFormat.xml, "</List><List>"), (.json, #""List":[{"#),
        ]
    )
    func lists(_ format: AccountSettings.BodyFormat, _ mark: String) async throws {
        let sink = CallbackSink()
        try await sink.serve { url in
            let bench = Bench {
                $0.callbackURL = url
                $0.mode = .plain
                $0.bodyFormat = format
            }
            let openID = try await bench.person(
                .follow(),
                .answerConsent([ConsentAnswer("T1"), ConsentAnswer("T2")])
            )
            #expect(try #require(sink.received.last).body.contains(mark))
            #expect(notify(bench, to: openID) == 0)
            #expect(notify(bench, to: openID, template: "T2") == 0)
            #expect(try await bench.simulator.reportNotices(of: bench.account.appID).count == 1)
            let body = try #require(sink.received.last).body
            #expect(body.contains(mark) && body.contains("T1") && body.contains("T2"))
            #expect(body.contains("subscribe_msg_sent_event"))
        }
    }
}
