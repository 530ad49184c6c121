import BelfryCore
import BelfryRedisProcess
import BelfrySimulation
import Foundation
import Synchronization
import Testing

@testable import BelfryRedis
@testable import BelfryRedisClient

/// Primaries die under load while their replicas have not heard of the last changes.
@Suite("A fail-over of a Redis Cluster", .serialized)
struct FailOverTests {
    @Test("loses nothing that was accepted, of twenty primaries that die, where changes are kept")
    func keepsAll() async throws {
        let folder = NSTemporaryDirectory() + "belfry-fail-over-\(UUID())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let found = try await live(deaths: 20, intents: .whereReplicated(folder: folder))
        #expect(found.accepted > 1000, "too little to prove anything")
        #expect(found.lost == [])
        #expect(found.afterEnd == [], "held after its end was acknowledged")
        #expect(found.endedTwice == [], "two holders were both told that theirs was the end")
        print("Redis: of \(found.accepted) accepted, \(found.lost.count) lost in 20 fail-overs")
    }

    @Test("loses what was accepted last where nothing is kept: as many as is printed")
    func losesSome() async throws {
        let found = try await live(deaths: 4, intents: .off)
        #expect(found.accepted > 0)
        print(
            "Redis: of \(found.accepted) accepted, \(found.lost.count) lost in 4 fail-overs without intents"
        )
    }

    @Test("a primary that is away is not waited for by claims: what lies with the others is lent")
    func claimsOfOthers() async throws {
        // Longer than the test: nobody takes over.
        let cluster = try await RedisClusterProcess(nodeTimeout: 60_000)
        defer { for server in cluster.servers { server.remove() } }
        let timeline = try await open(cluster, .off)
        let pushes = (0..<200).map { ClusterLoad.push($0) }
        try await timeline.schedule(pushes)
        try #require(try await cluster.primary()).kill()
        let waiting = Waiting()
        let search = Task {
            // It fails in the end.
            _ = try? await timeline.find(pushes.map(\.id))
            waiting.isOver.withLock { $0 = true }
        }
        let claims = try await timeline.claim(limit: 1_000, lease: .seconds(60)).claims
        #expect((50..<200).contains(claims.count))
        #expect(!waiting.isOver.withLock { $0 })
        await search.value
        await timeline.close()
    }

    private func live(deaths: Int, intents: IntentUse) async throws -> Findings {
        let cluster = try await RedisClusterProcess(nodeTimeout: 1000)
        defer { for server in cluster.servers { server.remove() } }
        let timeline = try await open(cluster, intents)
        let load = ClusterLoad(timeline)
        let work = Task {
            await withTaskGroup { group in
                for _ in 0..<2 { group.addTask { await load.schedule() } }
                group.addTask { await load.deliver() }
            }
        }
        for death in 0..<deaths {
            try await kill(try await cluster.primaryWithReplica(death), by: death, load)
        }
        load.end()
        await work.value
        let findings = try await load.findings()
        await timeline.close()
        return findings
    }

    /// - Parameter death: every fifth time the others find out by themselves that a primary is gone; otherwise its replica is told to take over.
    private func kill(
        _ pair: (primary: RedisProcess, replica: RedisProcess),
        by death: Int,
        _ load: ClusterLoad
    ) async throws {
        // The replica hears of nothing any more.
        try await pair.replica.command("CONFIG", "SET", "masteruser", "nobody")
        try await pair.replica.command("CONFIG", "SET", "masterauth", "wrong")
        try await pair.primary.command("CLIENT", "KILL", "TYPE", "replica")
        await load.progress(100)
        pair.primary.kill()
        if death % 5 != 4 { try await pair.replica.command("CLUSTER", "FAILOVER", "TAKEOVER") }
        try await pair.replica.leads()
        try await pair.replica.command("CONFIG", "SET", "masteruser", "")
        try await pair.replica.command("CONFIG", "SET", "masterauth", "")
        try pair.primary.restart()
        await load.progress(20)
    }

    private func open(_ cluster: RedisClusterProcess, _ intents: IntentUse) async throws
        -> RedisTimeline
    {
        var configuration = RedisConfiguration(owner: "test")
        configuration.shards = 16
        configuration.commandTimeout = .seconds(60)
        configuration.intents = intents
        let seeds = cluster.servers.map { "127.0.0.1:\($0.port)" }.joined(separator: ",")
        return try await RedisTimeline.open(
            try RedisAddress("\(cluster.address)?seeds=\(seeds)"),
            configuration: configuration,
            clock: .given(ManualClock()),
            seed: 1
        )
    }
}

/// Whether a call is over.
private final class Waiting: Sendable {
    let isOver = Mutex(false)
}

/// What became of the pushes of a load.
struct Findings {
    var accepted = 0
    var lost: Set<PushID> = []
    var afterEnd: Set<PushID> = []
    var endedTwice: Set<PushID> = []
}

/// Schedules, cancels, claims and settles until it is told to end, and notes what it was told. Each id is scheduled once.
final class ClusterLoad: Sendable {
    private struct Notes {
        var next = 0
        var isOver = false
        var accepted: Set<PushID> = []
        /// Cancelled or settled, and told so.
        var ended: Set<PushID> = []
        /// A call about it failed: it may have ended.
        var unknown: Set<PushID> = []
        var findings = Findings()
    }

    private let timeline: RedisTimeline
    private let notes = Mutex(Notes())

    init(_ timeline: RedisTimeline) { self.timeline = timeline }

    func end() { notes.withLock { $0.isOver = true } }

    private var isOver: Bool { notes.withLock { $0.isOver } }

    /// Returns when so many more pushes have been accepted.
    func progress(_ count: Int) async {
        let wanted = notes.withLock { $0.accepted.count } + count
        while notes.withLock({ $0.accepted.count }) < wanted {
            try? await Task.sleep(for: .milliseconds(2))
        }
    }

    func schedule() async {
        while !isOver {
            let pushes = notes.withLock { notes in
                defer { notes.next += 10 }
                return (notes.next..<notes.next + 10).map { Self.push($0) }
            }
            // What fails was not accepted: it may be there or not.
            guard (try? await timeline.schedule(pushes)) != nil else { continue }
            notes.withLock { $0.accepted.formUnion(pushes.map(\.id)) }
            await cancel(Array(pushes.map(\.id).prefix(2)))
        }
    }

    private func cancel(_ ids: [PushID]) async {
        do {
            for (id, outcome) in zip(ids, try await timeline.cancel(ids)) {
                notes.withLock { notes in
                    if outcome == .cancelled { notes.ended.insert(id) }
                    // In flight it may still be delivered; gone it has been.
                    if outcome != .cancelled { notes.unknown.insert(id) }
                }
            }
        } catch {
            notes.withLock { $0.unknown.formUnion(ids) }
        }
    }

    func deliver() async {
        while !isOver { await deliverSome(20) }
    }

    @discardableResult
    private func deliverSome(_ limit: Int) async -> Int? {
        let ended = notes.withLock { $0.ended }
        guard let claims = try? await timeline.claim(limit: limit, lease: .seconds(600)).claims
        else { return nil }
        let ids = claims.map(\.push.id)
        notes.withLock { $0.findings.afterEnd.formUnion(ended.intersection(ids)) }
        let ends = claims.map { Settlement(token: $0.token, result: .done) }
        do {
            for (id, outcome) in zip(ids, try await timeline.settle(ends)) {
                notes.withLock { notes in
                    if outcome == .settled, notes.unknown.contains(id) == false {
                        if !notes.ended.insert(id).inserted { notes.findings.endedTwice.insert(id) }
                    } else if outcome != .stale {
                        notes.unknown.insert(id)
                    }
                }
            }
        } catch {
            notes.withLock { $0.unknown.formUnion(ids) }
        }
        return claims.count
    }

    /// Delivers what is left, and counts what never came.
    func findings() async throws -> Findings {
        var left = 300
        while left > 0, await deliverSome(200) != 0 { left -= 1 }
        let notes = notes.withLock { $0 }
        let missing = notes.accepted.subtracting(notes.ended).subtracting(notes.unknown)
        var findings = notes.findings
        findings.accepted = notes.accepted.count
        findings.lost = missing
        return findings
    }

    static func push(_ number: Int) -> Push {
        Push(
            id: PushID("push/\(number)"),
            recipient: Recipient(account: "a", person: "person \(number)"),
            due: Timestamp(milliseconds: 0),
            channel: "log",
            payload: Array("hello".utf8)
        )
    }
}

extension RedisClusterProcess {
    /// A primary whose replica has everything: another one each time.
    fileprivate func primaryWithReplica(_ turn: Int) async throws
        -> (primary: RedisProcess, replica: RedisProcess)
    {
        for attempt in 0..<3000 {
            let primary = servers[(turn + attempt) % servers.count]
            let info = try await primary.command("INFO", "replication")
            let line = info.split(whereSeparator: \.isNewline).first {
                $0.hasPrefix("slave0:") && $0.contains("state=online")
            }
            let replica = servers.first { line?.contains("port=\($0.port),") ?? false }
            if info.contains("role:master"), let replica { return (primary, replica) }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw ServerMissing(description: "no primary of the cluster has a replica")
    }
}

extension RedisProcess {
    /// Waits until it is a primary.
    func leads() async throws {
        for _ in 0..<3000 {
            if try await command("ROLE").hasPrefix("master") { return }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}
