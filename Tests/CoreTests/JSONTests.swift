import BelfryCore
import Testing

@Suite("JSON")
struct JSONTests {
    private func parsed(_ text: String) throws(JSONFault) -> JSONValue {
        try JSONValue(parsing: Array(text.utf8))
    }

    @Test(
        "what is read and written again is the same text: order, whole numbers, Chinese and slashes stay",
        arguments: [
            #"{"b":1,"a":[true,false,null],"c":{}}"#, "[]", #""""#, "-9223372036854775808",
            "9223372036854775807", "18446744073709551615", "1.5",
            #"{"text":"你好 😀 </a> \" \\ \b \f \n \r \t \u0001"}"#,
        ]
    )
    func roundTrip(text: String) throws {
        #expect(try parsed(text).text == text)
    }

    @Test("escapes are read as what they stand for")
    func escapes() throws {
        let value = try parsed(#""\u4f60\uD83D\uDE00\/\"""#)
        #expect(value == .string("你😀/\""))
    }

    @Test(
        "what is not one JSON value is refused with its place",
        arguments: [
            ("", 0), ("{", 1), ("[1,]", 3), ("{\"a\":1,}", 7), ("01", 1), ("1 2", 2), ("nul", 0),
            ("\"a", 0), ("\"\u{1}\"", 1), ("\"\\x\"", 1), ("\"\\uD800\"", 1), ("1e999", 0),
            ("{\"a\":1,\"a\":2}", 8), ("'a'", 0),
        ]
    )
    func refused(text: String, offset: Int) {
        #expect { try parsed(text) } throws: { ($0 as? JSONFault)?.offset == offset }
    }

    @Test("bytes that are not UTF-8 are refused with their place")
    func notUTF8() {
        let quote = UInt8(ascii: "\"")
        for bytes: [UInt8] in [
            [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xFF], [0xF4, 0x90, 0x80, 0x80],
        ] {
            #expect {
                try JSONValue(parsing: [quote] + bytes + [quote])
            } throws: {
                ($0 as? JSONFault)?.offset == 1
            }
        }
    }

    @Test("64 levels are read; deeper ones are an attack on the stack, and refused")
    func depth() throws {
        func nested(_ levels: Int) -> String {
            String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
        }
        #expect(try parsed(nested(64)).text == nested(64))
        #expect(throws: JSONFault.self) { try parsed(nested(66)) }
        #expect(throws: JSONFault.self) { try parsed(String(repeating: "[", count: 1_000_000)) }
    }

    @Test("a number that JSON cannot say is written as null")
    func infinite() {
        #expect(JSONValue.array([.number(.infinity), .number(.nan)]).text == "[null,null]")
    }

    @Test("members that are nil are left out, those that are null stay")
    func members() {
        let none: JSONValue? = nil
        let object = JSONValue.members(["a": .integer(1), "b": none, "c": .null])
        #expect(object.text == #"{"a":1,"c":null}"#)
        #expect(object.withoutNulls.text == #"{"a":1}"#)
    }

    @Test("finds broken UTF-8 exactly where the standard library does")
    func utf8() {
        var generator = SplitMix64(seed: 11)
        for _ in 0..<2000 {
            let bytes = (0..<12).map { _ in
                UInt8.random(in: 0...3, using: &generator) == 0
                    ? UInt8.random(in: .min ... .max, using: &generator) : 0x61
            }
            let isValid = String(validating: bytes, as: UTF8.self) != nil
            #expect((UTF8Check.firstFault(bytes.span) == nil) == isValid)
        }
    }

    @Test(
        "white space and other spellings are read, and written the shortest way",
        arguments: [
            (" [ ] ", "[]"),
            (#"{"a":[1,-2.5e3,true,null,"x"]}"#, #"{"a":[1,-2500.0,true,null,"x"]}"#),
            (#""\u00e9\n\ud83d\ude00\/""#, "\"é\\n😀/\""), ("0", "0"),
        ]
    )
    func shortest(text: String, written: String) throws {
        #expect(try parsed(text).text == written)
    }

    @Test(
        "what RFC 8259 does not allow is refused",
        arguments: [
            "1.", ".5", "+1", "1e", "tru", "\"\\udc00\"", "{\"a\" 1}", "{a:1}", "NaN", "[1 2]",
        ]
    )
    func notAllowed(text: String) {
        #expect(throws: JSONFault.self) { try parsed(text) }
    }
}
