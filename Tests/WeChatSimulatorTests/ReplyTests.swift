import Testing

@testable import BelfryWeChatSimulator

@Suite("Passive replies")
struct ReplyTests {
    private let account: AccountSettings = {
        var account = AccountSettings.sample("replies")
        account.mode = .plain
        return account
    }()

    private func judge(
        _ body: String,
        _ interaction: Interaction = .say("hi"),
        mode: AccountSettings.Mode = .plain
    ) -> ReplyVerdict {
        var account = account
        account.mode = mode
        let callback = Callback(
            account,
            openID: "o1",
            createTime: 1,
            messageID: 1,
            interaction
        )
        return ReplyVerdict.judge(Array(body.utf8), of: callback) { $0 == "known" }
    }

    private func reply(
        _ type: String,
        _ rest: String,
        to: String = "o1",
        from: String? = nil
    ) -> String {
        "<xml><ToUserName><![CDATA[\(to)]]></ToUserName>"
            + "<FromUserName>\(from ?? account.originalID)</FromUserName>"
            + "<CreateTime>1700000000</CreateTime><MsgType><![CDATA[\(type)]]></MsgType>"
            + "\(rest)</xml>"
    }

    private func isMalformed(_ verdict: ReplyVerdict) -> Bool {
        if case .malformed = verdict { true } else { false }
    }

    @Test("nothing and success are acknowledgements, anything else must be a reply")
    func acknowledged() {
        #expect(judge("") == .acknowledged)
        #expect(judge("success") == .acknowledged)
        for body in [
            "Success", "success\n", "ok", "{}", "{\"errcode\":0}", "null", "\u{FEFF}success",
        ] {
            #expect(isMalformed(judge(body)), "\(body)")
        }
    }

    @Test("a text is read, with entities and CDATA")
    func text() {
        let verdict = judge(reply("text", "<Content>a &lt;b&gt; &#x4F60;<![CDATA[<]]></Content>"))
        #expect(
            verdict == .reply(PassiveReply(type: "text", content: ["content": "a <b> 你<"]))
        )
    }

    @Test("other types need their media")
    func media() {
        #expect(
            judge(reply("image", "<Image><MediaId>known</MediaId></Image>"))
                == .reply(PassiveReply(type: "image", content: ["media_id": "known"]))
        )
        #expect(isMalformed(judge(reply("image", "<Image><MediaId>other</MediaId></Image>"))))
        #expect(isMalformed(judge(reply("voice", "<MediaId>known</MediaId>"))))
        #expect(isMalformed(judge(reply("music", "<Music><Title>t</Title></Music>"))))
        #expect(
            !isMalformed(judge(reply("video", "<Video><MediaId>known</MediaId></Video>")))
        )
        #expect(
            judge(reply("transfer_customer_service", ""))
                == .reply(
                    PassiveReply(type: "transfer_customer_service", content: .object([:]))
                )
        )
        #expect(isMalformed(judge(reply("hologram", ""))))
    }

    @Test("a message is answered with one article, an event with up to eight")
    func news() {
        func news(_ count: Int, stated: Int? = nil) -> String {
            let item = "<item><Title>t</Title><Url>http://a/</Url></item>"
            return reply(
                "news",
                "<ArticleCount>\(stated ?? count)</ArticleCount>"
                    + "<Articles>\(String(repeating: item, count: count))</Articles>"
            )
        }
        #expect(!isMalformed(judge(news(1))))
        #expect(isMalformed(judge(news(2))))
        #expect(!isMalformed(judge(news(8), .tapMenu(key: "k"))))
        #expect(isMalformed(judge(news(9), .tapMenu(key: "k"))))
        #expect(isMalformed(judge(news(1, stated: 2))))
        #expect(isMalformed(judge(news(0))))
    }

    @Test(
        "wrong names, a missing or long text, stray bytes, entities and declarations are malformed"
    )
    func malformed() {
        let content = "<Content>hi</Content>"
        let good = reply("text", content)
        #expect(!isMalformed(judge(good)))
        #expect(isMalformed(judge(reply("text", content, to: account.originalID, from: "o1"))))
        #expect(isMalformed(judge(reply("text", ""))))
        #expect(isMalformed(judge(reply("text", "<Content></Content>"))))
        let long = String(repeating: "好", count: 683)
        #expect(isMalformed(judge(reply("text", "<Content>\(long)</Content>"))))
        #expect(isMalformed(judge("\u{FEFF}" + good)))
        #expect(isMalformed(judge(" " + good)))
        #expect(isMalformed(judge(good + "x")))
        #expect(isMalformed(judge("<!DOCTYPE xml [<!ENTITY a \"b\">]>" + good)))
        #expect(isMalformed(judge(reply("text", "<Content>&a;</Content>"))))
        #expect(isMalformed(judge(String(good.dropLast(3)))))
        let deep = String(repeating: "<a>", count: 10_000)
        #expect(isMalformed(judge(deep)))
    }

    @Test("in safe mode a reply must be encrypted, signed and end with our id")
    func safe() throws {
        let key = try #require(EncodingKey(account.encodingAESKey))
        func sealed(_ tail: String, signedWith token: String) throws -> String {
            let plain = reply("text", "<Content>hi</Content>")
            let encrypted = try Envelope(key: key, tail: tail).encrypt(
                Array(plain.utf8),
                random: [UInt8](repeating: 9, count: 16)
            )
            let signature = Signature.of(token, "1700000000", "n", encrypted)
            return "<xml><Encrypt>\(encrypted)</Encrypt><MsgSignature>\(signature)</MsgSignature>"
                + "<TimeStamp>1700000000</TimeStamp><Nonce>n</Nonce></xml>"
        }
        let good = try sealed(account.appID, signedWith: account.token)
        let otherTail = try sealed("wxother", signedWith: account.token)
        let otherToken = try sealed(account.appID, signedWith: "other")
        #expect(!isMalformed(judge(good, mode: .safe)))
        #expect(!isMalformed(judge(good, mode: .compat)))
        #expect(isMalformed(judge(good, mode: .plain)))
        #expect(isMalformed(judge(otherTail, mode: .safe)))
        #expect(isMalformed(judge(otherToken, mode: .safe)))
        #expect(isMalformed(judge(reply("text", "<Content>hi</Content>"), mode: .safe)))
    }

    @Test("the person sees a reply in the log; a copy of the callback shows it only once")
    func seen() async throws {
        let bench = Bench { $0.mode = .plain }
        let sink = CallbackSink { request, _ in
            guard let callback = try? XMLElement.parse(Array(request.body.utf8)) else {
                return .status(400)
            }
            return .body(
                "<xml><ToUserName>\(callback.value("FromUserName") ?? "")</ToUserName>"
                    + "<FromUserName>\(callback.value("ToUserName") ?? "")</FromUserName>"
                    + "<CreateTime>1</CreateTime><MsgType>text</MsgType>"
                    + "<Content>welcome</Content></xml>"
            )
        }
        try await sink.serve { url in
            let account = bench.pointed(at: url)
            try bench.simulator.disorder(CallbackDisorder(duplicates: 1), of: account.appID)
            let report = try await bench.simulator.follow(account.appID)
            #expect(report.outcome == .replied("text"))
            #expect(sink.received.count == 2)
            // It used nothing of the window.
            for number in 1...3 {
                #expect(bench.sendText("m\(number)", to: report.openID) == 0)
            }
        }
        let seen = bench.simulator.deliveries()
        #expect(seen.map(\.kind) == [.passive, .custom, .custom, .custom])
        #expect(seen.first?.text == "welcome")
    }
}
