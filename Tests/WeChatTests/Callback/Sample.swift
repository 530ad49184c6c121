import BelfryCore
import BelfryWeChat

/// Bodies as WeChat sends them.
enum Sample {
    static let text = body(
        "<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[hello]]></Content>"
            + "<MsgId>6054768590064713728</MsgId>"
    )

    static func body(_ inner: String, created: Int64 = 1_714_037_059) -> String {
        "<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[o1]]></FromUserName>"
            + "<CreateTime>\(created)</CreateTime>\(inner)</xml>"
    }

    static func event(_ name: String, _ inner: String = "", created: Int64 = 1_714_037_059)
        -> String
    {
        body(
            "<MsgType><![CDATA[event]]></MsgType><Event><![CDATA[\(name)]]></Event>\(inner)",
            created: created
        )
    }

    static func inbound(_ text: String) throws -> Inbound {
        try Inbound(BodyTree.parse(Array(text.utf8)).root)
    }

    static func content(_ text: String) throws -> InboundEvent.Content? {
        guard case .event(let event) = try inbound(text) else { return nil }
        return event.content
    }

    static func message(_ inner: String) throws -> InboundMessage.Content? {
        guard case .message(let message) = try inbound(body(inner)) else { return nil }
        return message.content
    }

    /// A callback in safe mode and the query and body that it believes.
    struct Sealed {
        var callback: WeChatCallback
        var query: CallbackQuery
        var body: [UInt8]
        var now: Timestamp
    }

    static func sealed(
        _ inner: String = Sample.text,
        key: String = Vector.zeroKey,
        known: [String] = [Vector.zeroKey],
        tail: String = "wx1"
    ) throws -> Sealed {
        let callback = WeChatCallback(
            .init(
                token: "secret",
                mode: .safe,
                keys: try known.map { try EncodingAESKey($0) },
                tailID: "wx1"
            )
        )
        let encrypted = MessageCipher(key: try EncodingAESKey(key), tailID: tail)
            .encrypt(Array(inner.utf8), random: Array(repeating: 9, count: 16))
        let query = CallbackQuery(
            signature: "not looked at",
            timestamp: "1714037059",
            nonce: "n",
            encryptType: "aes",
            messageSignature: CallbackSignature.sign(["secret", "1714037059", "n", encrypted])
        )
        let body = "<xml><ToUserName>gh_1</ToUserName><Encrypt>\(encrypted)</Encrypt></xml>"
        return Sealed(
            callback: callback,
            query: query,
            body: Array(body.utf8),
            now: .seconds(1_714_037_060)
        )
    }
}
