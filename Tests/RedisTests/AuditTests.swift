import BelfryCore
import BelfryRedisProcess
import Testing

@testable import BelfryRedis
@testable import BelfryRedisClient

@Suite("The audit of a server")
struct AuditTests {
    @Test("finds nothing at a server that is set up as documented")
    func good() async throws {
        let server = try RedisProcess()
        defer { server.kill() }
        let timeline = try await RedisTimeline.ready(server)
        #expect(try await timeline.audited() == [])
        await timeline.close()
    }

    @Test(
        "refuses every policy that evicts",
        arguments: ["allkeys-lru", "volatile-lru", "volatile-ttl", "allkeys-random"]
    )
    func evicting(policy: String) async throws {
        let server = try start(with: ["maxmemory-policy": policy])
        defer { server.kill() }
        let timeline = try await RedisTimeline.ready(server)
        let error = await #expect(throws: TimelineError.self) {
            _ = try await timeline.audited()
        }
        #expect(error?.code == .invalid)
        #expect(error?.message.contains("maxmemory-policy: is \(policy)") == true)
        await timeline.close()
    }

    @Test(
        "warns of what can lose pushes or waste memory",
        arguments: [
            ("appendonly", "no"), ("appendfsync", "no"), ("hash-max-listpack-value", "64"),
            ("hash-max-listpack-entries", "32"),
        ]
    )
    func warnings(setting: String, value: String) async throws {
        let server = try start(with: [setting: value])
        defer { server.kill() }
        let timeline = try await RedisTimeline.ready(server)
        let findings = try await timeline.audited()
        #expect(findings.map(\.setting) == [setting])
        #expect(findings.allSatisfy { $0.weight == .warning })
        await timeline.close()
    }

    @Test("judges versions and replicas")
    func facts() {
        var facts = ServerFacts(node: "here")
        facts.version = [6, 0, 16]
        facts.replicas = 1
        facts.replicasToWrite = 0
        #expect(facts.findings.map(\.setting) == ["version", "min-replicas-to-write"])
        facts.version = [7, 0, 15]
        facts.replicasToWrite = 1
        #expect(facts.findings == [])
        facts.tellsSettings = false
        #expect(facts.findings.map(\.setting) == ["config"])
    }

    private func start(with settings: [String: String]) throws -> RedisProcess {
        try RedisProcess(settings.flatMap { ["--\($0)", $1] })
    }
}
