import Foundation
import Testing

@testable import BelfryClient

@Suite("Lines of a file")
struct LineSourceTests {
    private func file(_ text: String) throws -> String {
        let path = FileManager.default.temporaryDirectory.path() + "/lines-\(UUID())"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    private func chunks(_ text: String, lines: Int, bytes: Int) throws -> [String] {
        let path = try file(text)
        defer { try? FileManager.default.removeItem(atPath: path) }
        var source = try LineSource(path: path)
        var found: [String] = []
        while let chunk = try source.next(lines: lines, bytes: bytes) {
            found.append("\(chunk.first):\(String(decoding: chunk.text, as: UTF8.self))")
        }
        return found
    }

    @Test("come in chunks of whole lines, each with the number of its first line")
    func whole() throws {
        #expect(try chunks("a\nb\nc\n", lines: 2, bytes: 100) == ["1:a\nb\n", "3:c\n"])
        #expect(
            try chunks("aaaa\nbbbb\ncc", lines: 9, bytes: 6) == ["1:aaaa\n", "2:bbbb\n", "3:cc"]
        )
        #expect(try chunks("", lines: 2, bytes: 9) == [])
    }

    @Test("that are longer than allowed are an error with their number")
    func long() throws {
        let path = try file("a\n" + String(repeating: "x", count: 300_000))
        defer { try? FileManager.default.removeItem(atPath: path) }
        var source = try LineSource(path: path)
        #expect(try source.next(lines: 1, bytes: 1000)?.lines == 1)
        #expect(throws: ClientError.input("\(path):2: the line is longer than 1000 bytes")) {
            _ = try source.next(lines: 1, bytes: 1000)
        }
    }

    @Test("of a file that is not there are an error")
    func missing() {
        #expect(throws: ClientError.self) { _ = try LineSource(path: "/nowhere/at/all") }
    }
}
