import BelfryCore
import BelfryWeChat
import Testing

@Suite("Callbacks as WeChat documents them")
struct CallbackVectorTests {
    private func callback(
        _ token: String,
        _ mode: WeChatCallback.Mode,
        key: String? = nil,
        tail: String
    ) throws -> WeChatCallback {
        WeChatCallback(
            .init(
                token: token,
                mode: mode,
                keys: try key.map { [try EncodingAESKey($0)] } ?? [],
                tailID: tail
            )
        )
    }

    @Test("the address check answers exactly what was asked")
    func echo() throws {
        let query = CallbackQuery(
            signature: "f464b24fc39322e44b38aa78f5edd27bd1441696",
            timestamp: "1714036504",
            nonce: "1514711492",
            echo: "4375120948345356249"
        )
        let answer = try callback("AAAAA", .plain, tail: "wx")
            .echo(query, now: .seconds(1_714_036_505))
        #expect(answer == "4375120948345356249")
    }

    @Test("a plain message with the documented signature is believed")
    func plain() throws {
        let query = CallbackQuery(
            signature: "899cf89e464efb63f54ddac96b0a0a235f53aa78",
            timestamp: "1714037059",
            nonce: "486452656"
        )
        let opened = try callback("AAAAA", .plain, tail: "wx")
            .open(query, body: Array(Sample.text.utf8), now: .seconds(1_714_037_059))
        #expect(opened.key == nil)
        #expect(opened.format == .xml)
    }

    @Test("safe mode with a JSON body")
    func safeJSON() throws {
        let query = CallbackQuery(
            signature: "6c5c811b55cc85e0e1b54100749188c20beb3f5d",
            timestamp: "1714112445",
            nonce: "415670741",
            encryptType: "aes",
            messageSignature: "046e02f8204d34f8ba5fa3b1db94908f3df2e9b3"
        )
        let body = #"{"ToUserName":"gh_97417a04a28d","Encrypt":"\#(Vector.officialAccount)"}"#
        let callback = try callback(
            "AAAAA",
            .safe,
            key: Vector.zeroKey,
            tail: "wxba5fad812f8e6fb9"
        )
        let opened = try callback.open(
            query,
            body: Array(body.utf8),
            now: .seconds(1_714_112_446)
        )
        #expect(opened.format == .json)
        #expect(opened.inbound.head.openID == "o9AgO5Kd5ggOC-bXrbNODIiE3bGY")
        #expect(opened.inbound.head.created == .seconds(1_714_112_445))
        guard case .event(let event) = opened.inbound, case .unknown(let body) = event.content
        else {
            Issue.record("not an unknown event: \(opened.inbound)")
            return
        }
        #expect(event.name == "debug_demo")
        #expect(body.text("debug_str") == "hello world")
    }

    @Test("an encrypted answer has WeChat's bytes and signature")
    func safeReply() throws {
        let callback = try callback(
            "AAAAA",
            .safe,
            key: Vector.zeroKey,
            tail: "wxba5fad812f8e6fb9"
        )
        let answer = callback.seal(
            Array(#"{"demo_resp":"good luck"}"#.utf8),
            key: try EncodingAESKey(Vector.zeroKey),
            random: Array("707722b803182950".utf8),
            seconds: 1_713_424_427,
            nonce: "415670741"
        )
        #expect(
            answer.encrypted
                == "ELGduP2YcVatjqIS+eZbp80MNLoAUWvzzyJxgGzxZO/5sAvd070Bs6qrLARC9nVHm48Y4hyRbtzve1L32tmxSQ=="
        )
        #expect(answer.signature == "1b9339964ed2e271e7c7b6ff2b0ef902fc94dea1")
        #expect(String(decoding: answer.json, as: UTF8.self).contains(#""TimeStamp":1713424427,"#))
    }

    @Test("through a third-party platform the tail is the platform's appid")
    func platform() throws {
        let query = CallbackQuery(
            signature: "cc0c594499c1634947d5b502f158ee518947db27",
            timestamp: "1715943329",
            nonce: "1590219412",
            encryptType: "aes",
            messageSignature: "6c12a4205838198b8fa631b3220723bb07f1015c"
        )
        let body =
            "<xml><ToUserName>gh_97417a04a28d</ToUserName>"
            + "<Encrypt>\(Vector.platform)</Encrypt></xml>"
        let callback = try callback(
            "AAAAA",
            .safe,
            key: Vector.zeroKey,
            tail: "wx134c8103faa5a59e"
        )
        let opened = try callback.open(
            query,
            body: Array(body.utf8),
            now: .seconds(1_715_943_329)
        )
        #expect(opened.inbound.head.created == .seconds(1_715_943_329))

        let answer = callback.seal(
            Array("<xml><demo_resp>[CDATA[good luck]]</demo_resp></xml>".utf8),
            key: try #require(opened.key),
            random: Array("999951349e8ee746".utf8),
            seconds: 1_713_424_427,
            nonce: "415670741"
        )
        #expect(
            answer.encrypted
                == "hE8R6mGXHkJJjU72KxzKUd1GEkKJaEZq7vRL8XgK3o+00k8JGq6+pZJUIlTSyhsX+bxIBQ72g3GyvDdIZcr6+3HAZbSvPT9t/o11MI7d6WELwqrGd7jMnV0zv3Zc9Nq7"
        )
        #expect(answer.signature == "03e0812039325c2712ef5f0f980fd14c70d6e307")

        let own = try self.callback(
            "AAAAA",
            .safe,
            key: Vector.zeroKey,
            tail: "wxba5fad812f8e6fb9"
        )
        #expect(throws: CallbackError.Code.wrongTail) {
            try code { try own.open(query, body: Array(body.utf8), now: .seconds(1_715_943_329)) }
        }
    }

    @Test("compat mode: the encrypted part is believed, and white space in it is kept")
    func compat() throws {
        let query = CallbackQuery(
            timestamp: "1409735669",
            nonce: "1320562132",
            encryptType: "aes",
            messageSignature: "5d197aaffba7e9b25a30732f161a50dee96bd5fa"
        )
        let body =
            "<xml><ToUserName><![CDATA[gh_10f6c3c3ac5a]]></ToUserName>"
            + "<Content>forged</Content><Encrypt><![CDATA[\(Vector.compat)]]></Encrypt></xml>"
        let callback = try callback(
            "spamtest",
            .compat,
            key: Vector.looseKey,
            tail: "wx2c2769f8efd9abc2"
        )
        let opened = try callback.open(
            query,
            body: Array(body.utf8),
            now: .seconds(1_409_735_700)
        )
        guard case .message(let message) = opened.inbound else {
            Issue.record("not a message")
            return
        }
        #expect(message.content == .text("abcdteT", menuID: nil))
        #expect(message.id == "6054768590064713728")
        #expect(message.head.openID == "oyORnuP8q7ou2gfYjqLzSIWZf0rs")
        #expect(message.head.account == "gh_10f6c3c3ac5a")
        #expect(message.head.created == .seconds(1_409_735_668))
    }
}
