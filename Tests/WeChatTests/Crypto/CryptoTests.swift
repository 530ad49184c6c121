import BelfryWeChat
import Testing

@Suite("Keys, ciphers and signatures")
struct CryptoTests {
    @Test("a key that strict base64 refuses is read")
    func looseKey() throws {
        let key = try EncodingAESKey(Vector.looseKey)
        #expect(key.bytes.count == 32)
        #expect(key.bytes.prefix(4).elementsEqual([0x69, 0xB7, 0x1D, 0x79]))
        // The two bits beyond the key say nothing: G and E stand for the same last byte.
        #expect(key == (try EncodingAESKey(String(Vector.looseKey.dropLast()) + "E")))
    }

    @Test(
        "what is not 43 base64 characters is no key",
        arguments: [
            "", "A", Vector.zeroKey + "A", Vector.zeroKey + "=", "!" + Vector.zeroKey.dropLast(),
        ]
    )
    func badKey(text: String) {
        #expect(throws: InvalidAESKey.self) { try EncodingAESKey(text) }
    }

    @Test("a key does not show itself in logs")
    func hidden() throws {
        #expect(try !"\(EncodingAESKey(Vector.looseKey))".contains("abc"))
    }

    @Test("encrypting gives WeChat's bytes, with a key that strict base64 refuses")
    func encrypts() throws {
        let cipher = MessageCipher(
            key: try EncodingAESKey(Vector.looseKey),
            tailID: "wxb11529c136998cb6"
        )
        let sealed = cipher.encrypt(
            Array("我是中文abcd123".utf8),
            random: Array("aaaabbbbccccdddd".utf8)
        )
        #expect(
            sealed
                == "jn1L23DB+6ELqJ+6bruv21Y6MD7KeIfP82D6gU39rmkgczbWwt5+3bnyg5K55bgVtVzd832WzZGMhkP72vVOfg=="
        )
    }

    @Test("what was encrypted is decrypted again, at every padding", arguments: 0..<70)
    func roundTrip(length: Int) throws {
        let cipher = MessageCipher(key: try EncodingAESKey(Vector.looseKey), tailID: "wx0")
        let message = (0..<length).map { UInt8($0 & 0xFF) }
        let sealed = cipher.encrypt(message, random: Array(repeating: 7, count: 16))
        #expect(try cipher.decrypt(sealed) == message)
    }

    @Test("no cut of a ciphertext is accepted, and none crashes")
    func truncated() throws {
        let cipher = MessageCipher(
            key: try EncodingAESKey(Vector.zeroKey),
            tailID: "wxba5fad812f8e6fb9"
        )
        let whole = Vector.officialAccount
        #expect(try cipher.decrypt(whole).count == 167)
        for length in 0..<whole.utf8.count {
            #expect(throws: CallbackError.self) {
                try cipher.decrypt(String(whole.prefix(length)))
            }
        }
    }

    @Test("a wrong key is damage, not a crash; another appid is told apart")
    func wrongKey() throws {
        let wrong = MessageCipher(
            key: try EncodingAESKey(Vector.looseKey),
            tailID: "wxba5fad812f8e6fb9"
        )
        #expect(throws: CallbackError.Code.badCiphertext) {
            try code { try wrong.decrypt(Vector.officialAccount) }
        }
        let other = MessageCipher(key: try EncodingAESKey(Vector.zeroKey), tailID: "wx_other")
        #expect(throws: CallbackError.Code.wrongTail) {
            try code { try other.decrypt(Vector.officialAccount) }
        }
    }

    @Test("a length field beyond the message is refused before anything is allocated")
    func absurdLength() throws {
        let key = try EncodingAESKey(Vector.zeroKey)
        // The random head becomes part of a forged message whose length field is its last four bytes.
        let forged = MessageCipher(key: key, tailID: "\u{7F}\u{7F}\u{7F}\u{7F}")
            .encrypt([], random: Array(repeating: 0x7F, count: 16))
        #expect(throws: CallbackError.self) {
            try MessageCipher(key: key, tailID: "wx").decrypt(forged)
        }
    }

    @Test("the parts are sorted by bytes, not by language")
    func byteOrder() {
        let signature = CallbackSignature.sign(["b", "B", "1", "é"])
        #expect(signature == CallbackSignature.sign(["é", "1", "B", "b"]))
        #expect(CallbackSignature.matches(signature, ["1", "B", "b", "é"]))
        #expect(!CallbackSignature.matches(signature + "0", ["1", "B", "b", "é"]))
        #expect(!CallbackSignature.matches("", ["1", "B", "b", "é"]))
    }
}

extension CallbackError.Code: Error {}

/// Throws the code alone, to be matched by `#expect(throws:)`.
func code<T>(_ body: () throws -> T) throws -> T {
    do { return try body() } catch let error as CallbackError { throw error.code }
}
