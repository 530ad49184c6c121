import BelfryCore
import BelfryWeChat
import Testing

@Suite("Hostile callbacks")
struct HostileCallbackTests {
    private let plain = WeChatCallback(.init(token: "secret", mode: .plain, tailID: "wx1"))

    private func query(_ body: [UInt8], at seconds: Int64 = 1_714_037_059) -> CallbackQuery {
        CallbackQuery(
            signature: CallbackSignature.sign(["secret", String(seconds), "n"]),
            timestamp: String(seconds),
            nonce: "n"
        )
    }

    private func open(_ body: [UInt8]) throws -> OpenedCallback {
        try code { try plain.open(query(body), body: body, now: .seconds(1_714_037_059)) }
    }

    @Test("a forged signature is refused before the body is read")
    func forged() throws {
        var query = query([])
        query.signature = String(repeating: "0", count: 40)
        #expect(throws: CallbackError.Code.badSignature) {
            try code { try plain.open(query, body: Array("<!DOCTYPE".utf8), now: .seconds(0)) }
        }
        query.echo = "1"
        #expect(throws: CallbackError.Code.badSignature) {
            try code { try plain.echo(query, now: .seconds(0)) }
        }
    }

    @Test("what is addressed to another account is refused, where the account's own id is known")
    func otherAccount() throws {
        let body = Array(Sample.text.utf8)
        for (own, error) in [("gh_1", nil), ("gh_2", CallbackError.Code.wrongAccount)] {
            let callback = WeChatCallback(
                .init(token: "secret", mode: .plain, tailID: "wx1", originalID: own)
            )
            var found: CallbackError.Code?
            do {
                _ = try callback.open(query(body), body: body, now: .seconds(1_714_037_059))
            } catch { found = error.code }
            #expect(found == error)
        }
    }

    @Test("in safe mode a signature over another body is refused")
    func swappedBody() throws {
        let one = try Sample.sealed()
        let other = try Sample.sealed(Sample.event("unsubscribe"))
        #expect(throws: CallbackError.Code.badSignature) {
            try code { try one.callback.open(one.query, body: other.body, now: one.now) }
        }
    }

    @Test("a stale signature is refused, an hour of clock error is not", arguments: [1, -1])
    func stale(sign: Int64) throws {
        let body = Array(Sample.text.utf8)
        let signed = query(body)
        let hour = Timestamp.seconds(1_714_037_059 + sign * 3600)
        #expect(throws: Never.self) { try plain.open(signed, body: body, now: hour) }
        let day = Timestamp.seconds(1_714_037_059 + sign * 86_400)
        #expect(throws: CallbackError.Code.stale) {
            try code { try plain.open(signed, body: body, now: day) }
        }
        #expect(throws: CallbackError.Code.stale) {
            let sealed = try Sample.sealed()
            return try code { try sealed.callback.open(sealed.query, body: sealed.body, now: day) }
        }
    }

    @Test("the tolerance is never below ten minutes, and can be switched off")
    func tolerance() throws {
        let body = Array(Sample.text.utf8)
        var settings = WeChatCallback.Settings(
            token: "secret",
            mode: .plain,
            tailID: "",
            tolerance: .seconds(1)
        )
        #expect(settings.tolerance == .minutes(10))
        settings.tolerance = nil
        #expect(throws: Never.self) {
            try WeChatCallback(settings).open(query(body), body: body, now: .seconds(0))
        }
    }

    @Test("an account in safe or compat mode does not take readable bodies")
    func downgrade() throws {
        let sealed = try Sample.sealed()
        let body = Array(Sample.text.utf8)
        #expect(throws: CallbackError.Code.notEncrypted) {
            try code { try sealed.callback.open(query(body), body: body, now: sealed.now) }
        }
        #expect(throws: CallbackError.Code.notEncrypted) {
            try code { try sealed.callback.open(sealed.query, body: body, now: sealed.now) }
        }
    }

    @Test("a message under the previous key is read, and answered with that key")
    func rotation() throws {
        let sealed = try Sample.sealed(
            key: Vector.looseKey,
            known: [Vector.zeroKey, Vector.looseKey]
        )
        let opened = try sealed.callback.open(sealed.query, body: sealed.body, now: sealed.now)
        let previous = try EncodingAESKey(Vector.looseKey)
        #expect(opened.key == previous)
        var random = SplitMix64(seed: 1)
        let answer = sealed.callback.answer(
            .text("hi"),
            to: opened,
            now: sealed.now,
            using: &random
        )
        let envelope = try BodyTree.parse(Array(answer.body.utf8)).root
        let encrypted = envelope.text("Encrypt")
        let xml = try MessageCipher(key: previous, tailID: "wx1").decrypt(encrypted)
        #expect(String(decoding: xml, as: UTF8.self).contains("<Content><![CDATA[hi]]></Content>"))
        #expect(
            CallbackSignature.matches(
                envelope.text("MsgSignature"),
                ["secret", envelope.text("TimeStamp"), envelope.text("Nonce"), encrypted]
            )
        )
    }

    @Test("another key, another appid and damage are refused, each with its reason")
    func wrongKeys() throws {
        let key = try Sample.sealed(key: Vector.looseKey)
        #expect(throws: CallbackError.Code.badCiphertext) {
            try code { try key.callback.open(key.query, body: key.body, now: key.now) }
        }
        let tail = try Sample.sealed(
            known: [Vector.zeroKey, Vector.looseKey],
            tail: "wx2"
        )
        #expect(throws: CallbackError.Code.wrongTail) {
            try code { try tail.callback.open(tail.query, body: tail.body, now: tail.now) }
        }
    }

    @Test(
        "document types, entities, comments, instructions and other encodings are refused",
        arguments: [
            #"<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><xml>&b;</xml>"#,
            #"<?xml version="1.0"?><!DOCTYPE x SYSTEM "file:///etc/passwd"><xml></xml>"#,
            #"<xml><!ENTITY x SYSTEM "http://127.0.0.1/"></xml>"#,
            "<!-- <![CDATA[ --><!DOCTYPE x><xml>]]></xml>",
            "<?php <![CDATA[ ?><!DOCTYPE x><xml>]]></xml>",
            #"<?xml version="1.0" encoding="UTF-7"?><xml></xml>"#,
            #"<?xml version="1.0" encoding="utf-16"?><xml></xml>"#,
            "<!doctype x><xml></xml>",
        ]
    )
    func markup(body: String) {
        #expect(throws: CallbackError.Code.forbiddenMarkup) { try open(Array(body.utf8)) }
    }

    @Test("a person may write about document types")
    func quoted() throws {
        let body = Sample.body(
            "<MsgType>text</MsgType><Content><![CDATA[<!DOCTYPE html><!-- -->]]></Content>"
        )
        guard case .message(let message) = try open(Array(body.utf8)).inbound else {
            Issue.record("not a message")
            return
        }
        #expect(message.content == .text("<!DOCTYPE html><!-- -->", menuID: nil))
    }

    @Test("bodies that are too large, too deep or too many are refused")
    func bounds() {
        #expect(throws: CallbackError.Code.tooLarge) {
            try open(Array(repeating: UInt8(ascii: "<"), count: 300_000))
        }
        let deep = String(repeating: "<a>", count: 5000) + String(repeating: "</a>", count: 5000)
        #expect(throws: CallbackError.Code.tooDeep) { try open(Array(deep.utf8)) }
        let many = "<xml>" + String(repeating: "<a/>", count: 5000) + "</xml>"
        #expect(throws: CallbackError.Code.tooDeep) { try open(Array(many.utf8)) }
        let json =
            String(repeating: #"{"a":"#, count: 20_000) + "1"
            + String(repeating: "}", count: 20_000)
        #expect(throws: CallbackError.Code.malformed) { try open(Array(json.utf8)) }
        let shallow =
            String(repeating: #"{"a":"#, count: 20) + "1"
            + String(repeating: "}", count: 20)
        #expect(throws: CallbackError.Code.tooDeep) { try open(Array(shallow.utf8)) }
    }

    @Test("a body that is not UTF-8 is refused")
    func encoding() {
        var body = Array(Sample.text.utf8)
        body[60] = 0xFF
        #expect(throws: CallbackError.Code.invalidUTF8) { try open(body) }
    }

    @Test(
        "what is neither XML nor JSON nor complete is refused",
        arguments: [
            "", "   ", "success", "<", "<xml>", "<xml><a></xml>", "<xml>&nosuch;</xml>",
            "<xml><![CDATA[</xml>", "{", "[]", #"{"a":}"#, "<?xml ", "<xml></xml>",
            "<xml><ToUserName>a</ToUserName><FromUserName>b</FromUserName>"
                + "<CreateTime>x</CreateTime><MsgType>text</MsgType></xml>",
            "<xml><ToUserName>a</ToUserName><FromUserName>b</FromUserName>"
                + "<CreateTime>99999999999999999</CreateTime><MsgType>text</MsgType></xml>",
            "<xml><ToUserName>a</ToUserName><FromUserName>b</FromUserName>"
                + "<CreateTime>1</CreateTime></xml>",
        ]
    )
    func malformed(body: String) {
        #expect(throws: CallbackError.Code.malformed) { try open(Array(body.utf8)) }
    }

    @Test("no cut of a good body is believed whole, and none crashes")
    func truncated() throws {
        let whole = Array(Sample.text.utf8)
        for length in 0..<whole.count {
            #expect(throws: CallbackError.Code.self) { try open(Array(whole.prefix(length))) }
        }
        #expect(throws: Never.self) { try open(whole) }
    }

    @Test("an openid of ten kilobytes is refused")
    func longID() {
        let body = Sample.text.replacing("o1", with: String(repeating: "o", count: 10_000))
        #expect(throws: CallbackError.Code.malformed) { try open(Array(body.utf8)) }
    }

    @Test("a parameter given twice is refused, an unknown one is not")
    func query() throws {
        #expect(throws: CallbackError.Code.missingParameter) {
            try code { try CallbackQuery(pairs: [("nonce", "1"), ("nonce", "2")]) }
        }
        let query = try CallbackQuery(pairs: [("nonce", "1"), ("utm", "2"), ("utm", "3")])
        #expect(query.nonce == "1")
        #expect(throws: CallbackError.Code.missingParameter) {
            try code { try plain.open(query, body: [], now: .seconds(0)) }
        }
    }
}
