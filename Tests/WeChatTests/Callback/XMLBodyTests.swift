import BelfryCore
import Foundation
import Testing

@testable import BelfryWeChat

#if canImport(FoundationXML)
import FoundationXML
#endif

@Suite("Reading XML")
struct XMLBodyTests {
    @Test("text, entities, character numbers, CDATA and empty elements are read as XML says")
    func words() throws {
        let body = """
            <?xml version="1.0" encoding="UTF-8"?>
            <xml kind='a > b' n = "2"><A>1 &lt; 2 &amp;&#38;&#x4F60;&quot;&apos;&gt;</A>\
            <B><![CDATA[<b>&amp;]] ]></b>]]></B><C/><D ></D ><好>x</好></xml>

            """
        let root = try XMLBody.parse(Array(body.utf8))
        #expect(root.name == "xml")
        #expect(root.text("A") == "1 < 2 &&你\"'>")
        #expect(root.text("B") == "<b>&amp;]] ]></b>")
        #expect(root.children.map(\.name) == ["A", "B", "C", "D", "好"])
        #expect(root.text("好") == "x")
    }

    @Test(
        "what is not well-formed is refused",
        arguments: [
            "<a></b>", "<a><b></a></b>", "</a>", "<a></a><b></b>", "<a/>x", "x<a/>", "<a b></a>",
            "<a b=c></a>", "<a b=\"<\"></a>", "<a b=\"></a>", "< a></a>", "<a", "<a /", "<a></a",
            "<1></1>", "<a>&</a>", "<a>&#;</a>", "<a>&#x110000;</a>", "<a>&#0;</a>", "<a>\u{1}</a>",
            "<![CDATA[x]]>", "<a><![CDATA[\u{0}]]></a>", "<>", "<a><", "<a>&#xD800;</a>",
        ]
    )
    func wrong(body: String) {
        #expect(throws: CallbackError.self) { try XMLBody.parse(Array(body.utf8)) }
    }

    @Test("a thousand documents are read as the system's parser reads them", arguments: [7, 8, 9])
    func agrees(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        for _ in 0..<1000 {
            let text = Self.element(depth: 0, &random)
            let system = SystemReader()
            let parser = XMLParser(data: Data(text.utf8))
            parser.delegate = system
            #expect(parser.parse(), "seed \(seed): \(text)")
            let ours = try XMLBody.parse(Array(text.utf8))
            #expect(Self.outline(ours) == system.outline, "seed \(seed): \(text)")
        }
    }

    @Test("no damage makes the reader do more than refuse", arguments: [1, 2, 3])
    func damage(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let marks = Array("<>/!?&;[]\"'= \u{0}".utf8)
        for _ in 0..<20_000 {
            var bytes = Array(Self.element(depth: 0, &random).utf8)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                bytes[place] = marks.randomElement(using: &random) ?? 0
            }
            bytes.removeLast(Int.random(in: 0..<min(8, bytes.count), using: &random))
            // Whatever it answers, it comes back: a trap would end the test.
            _ = try? XMLBody.parse(bytes)
        }
    }

    private static func element(depth: Int, _ random: inout SplitMix64) -> String {
        let name = ["xml", "A", "b-c", "d.e", "_f"].randomElement(using: &random) ?? "x"
        let pieces = ["t", "&lt;", "&#65;", "<![CDATA[<x>&]]>", "好", " ", "]]"]
        var inside = ""
        if depth < 3, Bool.random(using: &random) {
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                inside += element(depth: depth + 1, &random)
            }
        } else {
            for _ in 0..<Int.random(in: 0...4, using: &random) {
                inside += pieces.randomElement(using: &random) ?? ""
            }
        }
        return "<\(name)>\(inside)</\(name)>"
    }

    private static func outline(_ node: BodyNode) -> String {
        "(\(node.name) \(node.text)\(node.children.map(outline).joined()))"
    }
}

/// What the system's parser reports, in the outline's form.
private final class SystemReader: NSObject, XMLParserDelegate {
    var outline = ""

    func parser(
        _ parser: XMLParser,
        didStartElement name: String,
        namespaceURI: String?,
        qualifiedName: String?,
        attributes: [String: String]
    ) {
        outline += "(\(name) "
    }

    func parser(_ parser: XMLParser, foundCharacters text: String) { outline += text }

    func parser(_ parser: XMLParser, foundCDATA block: Data) {
        outline += String(decoding: block, as: UTF8.self)
    }

    func parser(
        _ parser: XMLParser,
        didEndElement name: String,
        namespaceURI: String?,
        qualifiedName: String?
    ) {
        outline += ")"
    }
}
