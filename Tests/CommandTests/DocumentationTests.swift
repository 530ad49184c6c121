import BelfryPostgresProcess
import BelfryRedisProcess
import Foundation
import Testing

/// What the documentation shows is what happens.
@Suite("Documentation")
struct DocumentationTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    private func read(_ path: String) throws -> String {
        try String(contentsOf: Self.root.appending(path: path), encoding: .utf8)
    }

    /// The insides of the fenced blocks of one kind.
    private func blocks(_ kind: String, in text: String) -> [String] {
        text.components(separatedBy: "```\(kind)\n").dropFirst().map {
            $0.components(separatedBy: "```")[0]
        }
    }

    @Test("the README's first flow is checked as shown there")
    func firstFlow() async throws {
        let readme = try read("README.md")
        let flow = try #require(blocks("yaml", in: readme).first)
        let shown = try #require(blocks("console", in: readme).first)
        let folder = FileManager.default.temporaryDirectory.path() + "/readme-\(UUID())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try flow.write(toFile: folder + "/welcome.yaml", atomically: true, encoding: .utf8)
        let result = try await Program.run(["flow", "check", "welcome.yaml"], folder: folder)
        #expect(result.code == 0)
        #expect(shown.contains("$ belfry flow check welcome.yaml\n" + result.out))
    }

    @Test("every command of the README works as printed, in its order, on a fresh server")
    func readme() async throws {
        let folder = FileManager.default.temporaryDirectory.path() + "/readme-\(UUID())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let server = try await RunningServer(folder: folder)
        let text = try read("README.md")
        let flow = try #require(blocks("yaml", in: text).first)
        try flow.write(toFile: folder + "/welcome.yaml", atomically: true, encoding: .utf8)
        let shown = try #require(blocks("console", in: text).first).split(separator: "\n")
            .filter { $0.hasPrefix("$ ") }.map { $0.dropFirst(2) }.joined(separator: "\n")
        let commands = blocks("sh", in: text).filter { $0.contains("belfry ") }
        // The server runs already, where no other is in its way.
        let script = ([shown] + commands).joined(separator: "\n")
            .replacing("belfry serve &", with: "")
            .replacing("localhost:8080", with: server.address)
            .replacing("belfry-data/admin.key", with: "admin.key")
        let result = try await Program.run(
            ["-euo", "pipefail", "-c", "belfry() { '\(Program.path)' \"$@\"; }\n" + script],
            environment: server.environment,
            folder: folder,
            executable: "/bin/bash"
        )
        await server.stop()
        #expect(result.code == 0, "\(result.out)\n\(result.err)")
        #expect(result.out.contains("hello: ") || result.out.contains("welcome: version 1"))
        #expect(result.out.contains("cancelled  order/17"), "\(result.out)")
    }

    @Test(
        "the recipe for two servers works as printed, but for installing the stores, and both send"
    )
    func twoServers() async throws {
        let folder = FileManager.default.temporaryDirectory.path() + "/two-\(UUID())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let section = try #require(
            read("docs/operations.md").components(separatedBy: "\n## Two servers\n").last?
                .components(separatedBy: "\n## ").first
        )
        let recipe = blocks("sh", in: section)
        try #require(recipe.count == 2)
        // What is added to Debian's settings there.
        let options = recipe[0].matches(of: /'([a-z-]+) ([a-z0-9-]+)'/).flatMap {
            ["--\($0.output.1)", String($0.output.2)]
        }
        #expect(options.count == 8, "\(options)")
        let redis = try RedisProcess(options)
        defer { redis.remove() }
        // Takes longer to come up than the Redis.
        let postgres = try await PostgresProcess()
        defer { postgres.remove() }
        let ports = [try freePort(), try freePort()]
        let replacements = [
            ("127.0.0.1:6379", "127.0.0.1:\(redis.port)"),
            ("postgres://belfry:change-me@127.0.0.1:5432/belfry", postgres.address()),
            ("8081", "\(ports[0])"), ("8082", "\(ports[1])"),
        ]
        let start = "trap 'kill $one $two' EXIT\nbelfry() { '\(Program.path)' \"$@\"; }\n"
        // Job control would be needed to end a function's process by its number.
        let commands = recipe[1].replacing("\nbelfry serve", with: "\n'\(Program.path)' serve")
        let script = replacements.reduce(start + commands + Self.seen) {
            $0.replacing($1.0, with: $1.1)
        }
        let result = try await Program.run(
            ["-uo", "pipefail", "-c", script],
            folder: folder,
            executable: "/bin/bash"
        )
        #expect(result.code == 0, "\(result.out)\n\(result.err)")
        for words in ["accepted  order/17", "accepted  order/18", "customer-42", "well: folder"] {
            #expect(result.out.contains(words), "\(words) in \(result.out)\n\(result.err)")
        }
        #expect(result.out.components(separatedBy: "\nnode ").count >= 3, "\(result.out)")
    }

    /// Waits until both pushes are told as sent, and looks into what the stopped server has left.
    private static let seen = """
        for attempt in $(seq 60); do
            sent=$(belfry deliveries --account shop --state sent --server http://127.0.0.1:8082)
            [[ $sent == *order/17* && $sent == *order/18* ]] && break
            sleep 1
        done
        [[ $sent == *order/17* && $sent == *order/18* ]] && belfry doctor --config belfry.yaml one
        """

    @Test(
        "every curl example of docs/api.md is answered well, in order, by a fresh server",
        .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/curl"))
    )
    func curl() async throws {
        let folder = FileManager.default.temporaryDirectory.path() + "/api-\(UUID())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let server = try await RunningServer(folder: folder)
        let script = blocks("sh", in: try read("docs/api.md")).joined(separator: "\n")
            .replacing("http://127.0.0.1:8080", with: server.address)
            .replacing("belfry-data/admin.key", with: folder + "/admin.key")
            .replacing("curl -sS", with: "curl -sS --fail-with-body")
        let result = try await Program.run(
            ["-euo", "pipefail", "-c", script],
            executable: "/bin/bash"
        )
        await server.stop()
        #expect(result.code == 0, "\(result.out)\n\(result.err)")
    }
}
