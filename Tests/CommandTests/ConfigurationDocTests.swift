import BelfryServer
import Foundation
import Testing

/// The table of docs/configuration.md, from the settings themselves.
private func table() throws -> String {
    let loaded = try ServerConfiguration.load(ConfigurationSources())
    let standard = Dictionary(loaded.values.map { ($0.key, $0.value) }) { $1 }
    let rows = Setting.all.map { setting in
        let value = standard[setting.key] ?? ""
        let shown = setting.isSecret || value.isEmpty ? "" : "`\(value)`"
        return
            "| `\(setting.key)` | \(shown) | \(setting.allowed.replacing("|", with: "\\|")) | \(setting.meaning) |"
    }
    return (["| key | default | allowed | meaning |", "|---|---|---|---|"] + rows)
        .joined(separator: "\n")
}

@Suite("docs/configuration.md")
struct ConfigurationDocTests {
    private static let file = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "docs/configuration.md")

    @Test("lists every setting with its default, as the server has them")
    func settings() throws {
        let text = try String(contentsOf: Self.file, encoding: .utf8)
        let (begin, end) = ("<!-- settings -->\n", "\n<!-- end of settings -->")
        let start = try #require(text.firstRange(of: begin)).upperBound
        let stop = try #require(text[start...].firstRange(of: end)).lowerBound
        let expected = try table()
        if ProcessInfo.processInfo.environment["BELFRY_WRITE_DOCS"] != nil {
            try (text[..<start] + expected + text[stop...])
                .write(to: Self.file, atomically: true, encoding: .utf8)
            return
        }
        #expect(
            text[start..<stop] == expected,
            "run the tests once with BELFRY_WRITE_DOCS=1 to write the table anew"
        )
    }
}
