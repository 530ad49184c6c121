import Testing

@testable import BelfryWeChatSimulator

/// The vectors of the official sample code and tools.
@Suite("Envelope")
struct EnvelopeTests {
    private static let zeroKey = String(repeating: "A", count: 43)
    private static let sampleKey = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"

    private func envelope(_ key: String, _ tail: String) throws -> Envelope {
        Envelope(key: try #require(EncodingKey(key)), tail: tail)
    }

    @Test("signatures are those of the samples")
    func signatures() {
        #expect(
            Signature.of("AAAAA", "1714036504", "1514711492")
                == "f464b24fc39322e44b38aa78f5edd27bd1441696"
        )
        #expect(
            Signature.of("AAAAA", "1714037059", "486452656")
                == "899cf89e464efb63f54ddac96b0a0a235f53aa78"
        )
        #expect(
            Signature.of("AAAAA", "1714112445", "415670741", Vector.s)
                == "046e02f8204d34f8ba5fa3b1db94908f3df2e9b3"
        )
        #expect(
            Signature.of("AAAAA", "1715943329", "1590219412", Vector.e)
                == "6c12a4205838198b8fa631b3220723bb07f1015c"
        )
        #expect(
            Signature.of("spamtest", "1409735669", "1320562132", Vector.c)
                == "5d197aaffba7e9b25a30732f161a50dee96bd5fa"
        )
    }

    @Test("the JSON sample opens to its text and is made again byte by byte")
    func json() throws {
        let envelope = try envelope(Self.zeroKey, "wxba5fad812f8e6fb9")
        let plain = try envelope.decrypt(Vector.s)
        #expect(String(decoding: plain, as: UTF8.self) == Vector.sText)
        let again = try envelope.encrypt(plain, random: Array("a8eedb185eb2fecf".utf8))
        #expect(again == Vector.s)
        let reply = try envelope.encrypt(
            Array(#"{"demo_resp":"good luck"}"#.utf8),
            random: Array("707722b803182950".utf8)
        )
        #expect(reply == Vector.sReply)
        #expect(
            Signature.of("AAAAA", "1713424427", "415670741", reply)
                == "1b9339964ed2e271e7c7b6ff2b0ef902fc94dea1"
        )
    }

    @Test("the platform's sample ends with the id of the component")
    func component() throws {
        let envelope = try envelope(Self.zeroKey, "wx134c8103faa5a59e")
        #expect(try envelope.decrypt(Vector.e).count == 292)
        #expect(throws: EnvelopeError.tail) {
            try self.envelope(Self.zeroKey, "wxba5fad812f8e6fb9").decrypt(Vector.e)
        }
        let reply = try envelope.encrypt(
            Array("<xml><demo_resp>[CDATA[good luck]]</demo_resp></xml>".utf8),
            random: Array("999951349e8ee746".utf8)
        )
        #expect(reply == Vector.eReply)
    }

    @Test("a key whose last bits are set works, and Chinese survives")
    func lenientKey() throws {
        let envelope = try envelope(Self.sampleKey, "wxb11529c136998cb6")
        let sealed = try envelope.encrypt(
            Array("我是中文abcd123".utf8),
            random: Array("aaaabbbbccccdddd".utf8)
        )
        #expect(sealed == Vector.a)
    }

    @Test("the sample in compat mode opens")
    func compat() throws {
        let plain = try envelope(Self.sampleKey, "wx2c2769f8efd9abc2").decrypt(Vector.c)
        #expect(plain.count == 280)
        let message = try XMLElement.parse(plain)
        #expect(message.value("Content") == "abcdteT")
        #expect(message.value("MsgId") == "6054768590064713728")
    }

    @Test("a wrong key, a cut or changed ciphertext, and a wrong id are refused")
    func refused() throws {
        let envelope = try envelope(Self.zeroKey, "wxba5fad812f8e6fb9")
        #expect(throws: EnvelopeError.self) {
            try self.envelope(Self.sampleKey, "wxba5fad812f8e6fb9").decrypt(Vector.s)
        }
        #expect(throws: EnvelopeError.size) {
            try envelope.decrypt(String(Vector.s.prefix(Vector.s.count - 24)) + "AAA=")
        }
        #expect(throws: EnvelopeError.size) { try envelope.decrypt("") }
        #expect(throws: EnvelopeError.notBase64) { try envelope.decrypt("<xml>") }
        #expect(EncodingKey("short") == nil)
        #expect(EncodingKey(String(repeating: "+", count: 43)) == nil)
    }

    @Test("padding fills a block of 32 bytes, and a full one when nothing is missing")
    func padding() throws {
        let envelope = try envelope(Self.zeroKey, "wxba5fad812f8e6fb9")
        let random = [UInt8](repeating: 1, count: 16)
        // 16 + 4 + 18 leave 26 of 64 bytes.
        for count in [0, 25, 26, 27, 1000] {
            let message = [UInt8](repeating: 7, count: count)
            let sealed = try envelope.encrypt(message, random: random)
            #expect(try envelope.decrypt(sealed) == message)
        }
        #expect(try envelope.encrypt([UInt8](repeating: 7, count: 26), random: random).count == 128)
    }
}
