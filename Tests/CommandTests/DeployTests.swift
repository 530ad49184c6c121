import BelfryClient
import BelfryServer
import Foundation
import Testing
import Yams

/// What lies in `deploy/`, held against what the program knows.
@Suite("deploy")
struct DeployTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    private static func text(_ name: String) throws -> String {
        try String(contentsOf: root.appending(path: name), encoding: .utf8)
    }

    private static func files() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: root.appending(path: "deploy").path())
            .filter { !$0.hasPrefix(".") && $0 != "secrets" }.sorted()
    }

    /// Which variables a file names.
    private static func variables(in text: String) -> Set<String> {
        Set(text.matches(of: /BELFRY_[A-Z_]+/).map { String($0.output) })
    }

    @Test("names no variable that the program does not know")
    func variables() throws {
        let known = Set(Setting.all.map(\.environmentName)).union(["BELFRY_CONFIG", "BELFRY_IMAGE"])
        #expect(try Self.files().count >= 6)
        for file in try Self.files() {
            let named = Self.variables(in: try Self.text("deploy/\(file)"))
            #expect(named.subtracting(known).isEmpty, "deploy/\(file)")
        }
    }

    @Test("sets workers in compose.yaml as the program accepts it, together with their file")
    func compose() throws {
        let file = Self.root.appending(path: "deploy/belfry.yaml.example").path()
        for (name, worker) in try Self.workers() {
            let settings = try #require(worker["environment"] as? [String: Any], "\(name)")
            var environment = settings.mapValues { Self.filledIn("\($0)") }
            environment["BELFRY_CONFIG"] = nil
            let loaded = try ServerConfiguration.load(
                ConfigurationSources(file: file, environment: environment)
            ).configuration
            #expect(loaded.timeline.url.hasPrefix("redis://"))
            #expect(loaded.records.url.hasPrefix("postgres://"))
            #expect(loaded.records.pollInterval > .zero)
            #expect(loaded.start.wait > .zero)
            let grace = try #require(worker["stop_grace_period"] as? String)
            #expect(try Self.seconds(grace) >= Self.stopSeconds(loaded))
        }
    }

    @Test("runs nothing of its own as root, restarts it, looks after it and limits it")
    func services() throws {
        let services = try Self.services()
        #expect(services.count == 12)
        for (name, service) in services {
            #expect(service["mem_limit"] != nil, "\(name)")
            #expect(service["restart"] != nil, "\(name)")
            if name != "redis-cluster" { #expect(service["healthcheck"] != nil, "\(name)") }
            if name.hasPrefix("worker") || name.hasPrefix("redis") {
                #expect(service["user"] as? String ?? "root" != "root", "\(name)")
                #expect(service["read_only"] as? Bool == true, "\(name)")
            }
            #expect(!"\(service)".contains("change-me"), "\(name)")
        }
    }

    @Test("uses only volumes, secrets and servers in compose.yaml that it declares")
    func references() throws {
        let document = try Self.document()
        let volumes = try #require(document["volumes"] as? [String: Any])
        let secrets = try #require(document["secrets"] as? [String: Any])
        let services = try Self.services()
        for (name, service) in services {
            for volume in service["volumes"] as? [String] ?? [] {
                let source = String(volume.prefix { $0 != ":" })
                #expect(volumes.keys.contains(source), "\(name): \(volume)")
            }
            for secret in service["secrets"] as? [String] ?? [] {
                #expect(secrets.keys.contains(secret), "\(name): \(secret)")
            }
            for other in (service["depends_on"] as? [String: Any] ?? [:]).keys {
                #expect(services[other] != nil, "\(name): \(other)")
            }
        }
        let example = try Self.text("deploy/belfry.env.example")
        for secret in secrets.keys { #expect(example.contains(secret), "\(secret)") }
    }

    @Test("gives belfry.service the time that a stop takes, and starts no damaged folder again")
    func unit() throws {
        let unit = try Self.text("deploy/belfry.service")
        let stop = try #require(unit.firstMatch(of: /TimeoutStopSec=(\d+)/)?.output.1)
        #expect(try #require(Int(stop)) >= Self.stopSeconds(ServerConfiguration()))
        #expect(unit.contains("RestartPreventExitStatus=65 77 78"))
        #expect(unit.contains("Type=exec"))
    }

    // MARK: Reading

    private static func document() throws -> [String: Any] {
        try #require(try Yams.load(yaml: text("deploy/compose.yaml")) as? [String: Any])
    }

    private static func services() throws -> [String: [String: Any]] {
        try #require(try document()["services"] as? [String: [String: Any]])
    }

    private static func workers() throws -> [String: [String: Any]] {
        let workers = try services().filter { $0.key.hasPrefix("worker") }
        #expect(workers.count == 3)
        return workers
    }

    /// As compose fills in what nobody has set.
    private static func filledIn(_ text: String) -> String {
        text.replacing(/\$\{[A-Z_]+:-([^}]*)\}/) { String($0.output.1) }
    }

    private static func seconds(_ text: String) throws -> Int {
        try #require(Int(text.dropLast()), "\(text)")
    }

    /// What the server gives itself at most.
    private static func stopSeconds(_ configuration: ServerConfiguration) -> Int {
        Int(configuration.delivery.drainTimeout.components.seconds) + 10
    }
}

@Suite("deploy/alerts.yaml")
struct AlertTests {
    private struct Rule {
        var name: String
        var expression: String
        /// Names in the expression that are ours.
        var metrics: [String] {
            expression.matches(of: /belfry_[a-z_]+/).map { String($0.output) }
        }
    }

    private static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    private static func rules() throws -> [Rule] {
        let text = try String(
            contentsOf: root.appending(path: "deploy/alerts.yaml"),
            encoding: .utf8
        )
        let document = try #require(try Yams.load(yaml: text) as? [String: Any])
        let groups = try #require(document["groups"] as? [[String: Any]])
        return try groups.flatMap { try #require($0["rules"] as? [[String: Any]]) }.map { rule in
            let notes = try #require(rule["annotations"] as? [String: String])
            #expect(notes["summary"]?.isEmpty == false)
            let labels = try #require(rule["labels"] as? [String: String])
            #expect(["page", "ticket"].contains(labels["severity"]))
            return Rule(
                name: try #require(rule["alert"] as? String),
                expression: try #require(rule["expr"] as? String)
            )
        }
    }

    @Test("asks for nothing but what a running server tells")
    func metrics() async throws {
        let folder = FileManager.default.temporaryDirectory.path() + "/alerts-\(UUID())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let server = try await RunningServer(folder: folder)
        let told = try await Self.told(by: server)
        await server.stop()
        let rules = try Self.rules()
        #expect(rules.count >= 15)
        for rule in rules {
            #expect(!rule.metrics.isEmpty, "\(rule.name)")
            for name in rule.metrics { #expect(told.contains(name), "\(rule.name): \(name)") }
        }
    }

    /// The metrics of a server at which one of everything has happened.
    private static func told(by server: RunningServer) async throws -> Set<String> {
        _ = try await Program.run(
            ["account", "add", "shop", "--kind", "webhook"] + server.keyFile,
            environment: server.environment
        )
        func push(_ id: String, _ more: [String]) async throws -> Int32 {
            try await Program.run(
                [
                    "push", "schedule", "--id", id, "--account", "shop", "--to", "anna",
                    "--payload", "x",
                ]
                    + more + server.keyFile,
                environment: server.environment
            ).code
        }
        #expect(try await push("fine", ["--in", "0s", "--channel", "log"]) == 0)
        #expect(try await push("wrong", ["--in", "0s", "--channel", "none"]) != 0)
        let key = try String(contentsOfFile: server.folder + "/admin.key", encoding: .utf8)
        let client = try APIClient(
            address: server.address,
            key: key.trimmingCharacters(in: .whitespacesAndNewlines)
        )
        await #expect(throws: ClientError.self) {
            try await client.send(.get, "/wechat/nobody/callback")
        }
        var names: Set<String> = []
        for _ in 0..<400 where !names.contains("belfry_delivery_lateness_seconds") {
            let text = String(decoding: try await client.send(.get, "/metrics"), as: UTF8.self)
            let lines = text.split(separator: "\n").filter { !$0.hasPrefix("#") }
            names = Set(lines.map { line in String(line.prefix { !"{ ".contains($0) }) })
            // The push is on its way; nothing but asking tells when it has gone.
            try await Task.sleep(for: .milliseconds(25))
        }
        // Only a reader that is too slow makes this one appear.
        return names.union(["belfry_stream_dropped_total"])
    }

    @Test("is explained alert by alert in docs/operations.md")
    func explained() throws {
        let text = try String(
            contentsOf: Self.root.appending(path: "docs/operations.md"),
            encoding: .utf8
        )
        for rule in try Self.rules() { #expect(text.contains("`\(rule.name)`"), "\(rule.name)") }
        let named = text.matches(of: /`(Belfry[A-Z][A-Za-z]+)`/).map { String($0.output.1) }
        let known = Set(try Self.rules().map(\.name))
        for name in named { #expect(known.contains(name), "\(name)") }
    }
}
