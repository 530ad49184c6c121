import BelfryActivation
import BelfryCore
import Testing

@Suite("Links and variables")
struct ContentTests {
    @Test(
        "links in texts are found, in markup, bare, and with Chinese right behind them",
        arguments: [
            ("see https://a.example/x?y=1.", ["https://a.example/x?y=1"]),
            ("点https://a.example/x领取", ["https://a.example/x"]),
            (
                #"<a href="https://a.example/1">x</a> http://b.example"#,
                ["https://a.example/1", "http://b.example"]
            ),
            (
                #"<a data-miniprogram-appid="wx" data-miniprogram-path="p" href="https://a.example">x</a>"#,
                []
            ),
            ("twice https://a.example and https://a.example", ["https://a.example"]),
            ("https:// and http://", []), ("no link", []),
            ("（https://a.example/(x)）", ["https://a.example/(x"]),
        ]
    )
    func list(text: String, links: [String]) {
        #expect(TrackedLinks.list(in: .text(text)) == links)
    }

    @Test("replacing keeps everything but the links")
    func replace() {
        let text = #"a <a href="https://x.example/1">go</a>, https://x.example/2。 b"#
        let replaced = TrackedLinks.replace(inText: text) { "[\($0.suffix(1))]" }
        #expect(replaced == #"a <a href="[1]">go</a>, [2]。 b"#)
    }

    @Test("whatever the text, replacing links by themselves changes nothing")
    func identity() {
        var random = SplitMix64(seed: 3)
        let parts = [
            "http", "s://", "a.example", "/", "?", "<a href=\"", "\">", "</a>", "你", " ", ".",
            "data-miniprogram",
        ]
        for _ in 0..<2000 {
            let text = (0..<12).map { _ in parts.randomElement(using: &random) ?? "" }.joined()
            #expect(TrackedLinks.replace(inText: text) { $0 } == text)
        }
    }

    @Test(
        "variables are found, and what only looks like one stays text",
        arguments: [
            ("{{a}}", ["a=nil"]), ("{{ a | b c }}", ["a= b c "]), ("{{a|}}", ["a="]),
            ("{{}}", []), ("{{a", []), ("a}}", []), ("{{{a}}}", []), ("{{|x}}", []),
            ("{{a}}{{b|{{c}}", ["a=nil", "b={{c"]),
        ]
    )
    func variables(text: String, found: [String]) {
        let parts = TemplateText.parts(of: text)
        let names = parts.compactMap { part -> String? in
            guard case .variable(let name, let standard) = part else { return nil }
            return "\(name)=\(standard ?? "nil")"
        }
        #expect(names == found)
    }
}
