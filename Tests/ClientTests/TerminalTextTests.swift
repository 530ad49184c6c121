import BelfryClient
import Testing

@Suite("Text on a terminal")
struct TerminalTextTests {
    @Test("what a terminal would obey is shown, not done")
    func harmful() {
        let name = "a\r\n\u{1B}[2J\u{9B}31m\u{202E}b\u{7F}\t\u{2028}\u{0}"
        #expect(
            TerminalText.escaped(name)
                == #"a\r\n\u001B[2J\u009B31m\u202Eb\u007F\t\u2028\u0000"#
        )
        #expect(TerminalText.escaped("a\r\nb\u{1B}", keepingLines: true) == "a\\r\nb\\u001B")
    }

    @Test("letters of any language and emoji stay as they are")
    func harmless() {
        for text in ["", "张三", "Zoë", "👩‍👩‍👧", "नमस्ते", "می‌خواهم", #"C:\n"#] {
            #expect(TerminalText.escaped(text) == text)
        }
    }

    @Test("JSON with such text is the same to a parser, and harmless to a terminal")
    func json() throws {
        let value = JSON.object(["name": "x\u{9B}31m\u{202E}\u{7F}\r"])
        #expect(
            value.text.unicodeScalars.allSatisfy { $0.isASCII && $0.value >= 32 && $0.value < 127 }
        )
        #expect(try JSON(parsing: value.text.utf8) == value)
    }
}
