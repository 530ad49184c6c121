import Foundation
import Testing

@Suite("belfry serve --print-config")
struct PrintConfigTests {
    private func folder(_ file: String) throws -> String {
        let path = FileManager.default.temporaryDirectory.path() + "/serve-\(UUID())"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try file.write(toFile: path + "/belfry.yaml", atomically: true, encoding: .utf8)
        return path
    }

    @Test("says where each value came from: flags win over the environment, that over the file")
    func origins() async throws {
        let folder = try folder("http:\n  port: 1\n  host: localhost\nlog.level: debug\n")
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let result = try await Program.run(
            ["serve", "--print-config", "--json", "--config", "belfry.yaml", "--http-port=3"],
            environment: ["BELFRY_HTTP_PORT": "2", "BELFRY_HTTP_HOST": "127.0.0.2"],
            folder: folder
        )
        #expect(result.code == 0)
        let values = try #require(
            try JSONSerialization.jsonObject(with: Data(result.out.utf8)) as? [[String: String]]
        )
        func origin(_ key: String) -> String {
            let value = values.first { $0["key"] == key }
            return "\(value?["value"] ?? "?") \(value?["origin"] ?? "?")"
        }
        #expect(origin("http.port") == "3 --http-port")
        #expect(origin("http.host") == "127.0.0.2 BELFRY_HTTP_HOST")
        #expect(origin("log.level") == "debug belfry.yaml:4")
        #expect(origin("http.auth") == "keys default")
    }

    @Test("refuses unknown keys with their place and the nearest known one, with 78")
    func unknown() async throws {
        let folder = try folder("http:\n  prot: 1\n")
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let result = try await Program.run(
            ["serve", "--print-config", "--config", "belfry.yaml", "--log-levle", "info"],
            environment: ["BELFRY_HTTP_HOTS": "x"],
            folder: folder
        )
        #expect(result.code == 78)
        #expect(
            result.err.contains("belfry.yaml:2: unknown key 'http.prot'; did you mean 'http.port'?")
        )
        #expect(
            result.err.contains("unknown key 'BELFRY_HTTP_HOTS'; did you mean 'BELFRY_HTTP_HOST'?")
        )
        #expect(result.err.contains("unknown key 'log-levle'; did you mean 'log.level'?"))
    }

    @Test("never prints a secret")
    func secrets() async throws {
        let result = try await Program.run(
            ["serve", "--print-config"],
            environment: ["BELFRY_SECRET_KEY": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTEyMzQ="]
        )
        #expect(result.code == 0)
        #expect(result.out.contains("<redacted>"))
        #expect(!result.out.contains("c2VjcmV0"))
    }

    @Test(
        "wrong flags end with 64",
        arguments: [
            ["stray"], ["--http-port"], ["--http-port", "1", "--http-port", "2"],
        ]
    )
    func flags(arguments: [String]) async throws {
        let result = try await Program.run(["serve", "--print-config"] + arguments)
        #expect(result.code == 64)
    }

    @Test("values out of range end with 78 and say what is allowed")
    func range() async throws {
        let result = try await Program.run(["serve", "--print-config", "--http-port", "70000"])
        #expect(result.code == 78)
        #expect(result.err.contains("whole number from 0 to 65535"))
    }
}
