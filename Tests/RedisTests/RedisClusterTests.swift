import BelfryCore
import BelfryRedisProcess
import BelfrySimulation
import BelfryTestSupport
import BelfryTimelineConformance
import Testing

@testable import BelfryRedis
@testable import BelfryRedisClient

/// One cluster for all, started once; each case has keys of its own.
@Suite("The timeline on a Redis Cluster", .serialized)
struct RedisClusterTests {
    private static let shared = Task {
        let cluster = try await RedisClusterProcess()
        atExit { for server in cluster.servers { server.remove() } }
        return cluster
    }

    @Test("keeps the promises of every timeline", arguments: TimelineRule.all)
    func keeps(rule: TimelineRule) async throws {
        let cluster = try await Self.shared.value
        let name = "t\(TimelineRule.all.firstIndex { $0.description == rule.description } ?? 0)"
        let fixture = try await fixture(cluster, name, ManualClock())
        try await rule.check(fixture)
    }

    @Test(
        "keeps them with the ends of keys as the alarm",
        arguments: TimelineRule.all.filter { $0.promise == "T12" }.prefix(5)
    )
    func keepsWithEnds(rule: TimelineRule) async throws {
        let cluster = try await Self.shared.value
        let clock = ManualClock()
        let name = "k\(TimelineRule.all.firstIndex { $0.description == rule.description } ?? 0)"
        let timeline = try await open(cluster, name, clock, alarm: .keyspace)
        try await rule.check(TimelineFixture(timeline, alarm: timeline.alarm, clock: clock))
        await timeline.close()
    }

    @Test("wakes by the ends of keys on every server, and by nothing else", .timeLimit(.minutes(5)))
    func wakesByEnds() async throws {
        let cluster = try await Self.shared.value
        var configuration = RedisConfiguration(owner: "test")
        configuration.prefix = "ends"
        configuration.shards = 16
        configuration.alarm = .keyspace
        let timeline = try await RedisTimeline.open(
            try RedisAddress(cluster.address),
            configuration: configuration,
            seed: 1
        )
        let due = SystemClock().now() + .seconds(1)
        try await timeline.schedule(
            (0..<60).map { number in
                var push = push(number, ManualClock())
                push.due = due + .milliseconds(20 * Int64(number))
                return push
            }
        )
        var seen = 0
        while seen < 60 {
            let batch = try await timeline.claim(limit: 100, lease: .seconds(600))
            seen += batch.claims.count
            if seen < 60 { try await timeline.alarm.wait(nextDue: batch.nextDue) }
        }
        #expect(Set((0..<16).map { HashSlot.of(timeline.tag($0)) / 5462 }).count == 3)
        await timeline.close()
    }

    @Test(
        "loses nothing that was accepted when a primary dies under load, where a replica must confirm"
    )
    func failOver() async throws {
        let cluster = try await RedisClusterProcess(nodeTimeout: 1000)
        defer { cluster.kill() }
        let clock = ManualClock()
        let timeline = try await open(cluster, "failover", clock, replicas: 1)
        let primary = try #require(try await cluster.primary())
        var accepted: Set<PushID> = []
        for batch in 0..<50 {
            if batch == 30 { primary.kill() }
            if batch == 36 {
                // Its replica has taken over and has none itself, until the old primary comes back as one.
                try primary.restart()
                try await primary.follows()
            }
            let pushes = (0..<20).map { push(batch * 20 + $0, clock) }
            do throws(TimelineError) {
                try await timeline.schedule(pushes)
                accepted.formUnion(pushes.map(\.id))
            } catch {
                // The primary's answer was lost, or nobody has its slots or a replica yet.
                #expect(error.code == .io)
            }
        }
        #expect(accepted.count > 600)
        let claimed = try await claimAll(timeline, accepted)
        #expect(Set(claimed).isSuperset(of: accepted))
        #expect(claimed.count == Set(claimed).count, "held twice")
        await timeline.close()
    }

    /// Claims until everything that was accepted has come.
    private func claimAll(_ timeline: RedisTimeline, _ accepted: Set<PushID>) async throws
        -> [PushID]
    {
        var claimed: [PushID] = []
        var left = 100
        while !accepted.isSubset(of: claimed), left > 0 {
            left -= 1
            do throws(TimelineError) {
                let batch = try await timeline.claim(limit: 100, lease: .seconds(60))
                claimed += batch.claims.map(\.push.id)
            } catch {
                #expect(error.code == .io)
            }
        }
        return claimed
    }

    @Test("stands still while a slot moves, and goes on where it has moved to")
    func slotMoves() async throws {
        let cluster = try await RedisClusterProcess()
        defer { cluster.kill() }
        let clock = ManualClock()
        let timeline = try await open(cluster, "moving", clock, shards: 1)
        try await timeline.schedule((0..<300).map { push($0, clock) })
        let slot = String(HashSlot.of(timeline.tag(0)))
        var primaries: [RedisNode] = []
        for node in await timeline.servers.all() {
            let keys = try await keys(of: node, in: slot)
            primaries.insert(node, at: keys.isEmpty ? primaries.endIndex : 0)
        }
        let (source, target) = (primaries[0], primaries[1])
        let from = try await say(source, RedisCommand("CLUSTER", "MYID")).string ?? ""
        let to = try await say(target, RedisCommand("CLUSTER", "MYID")).string ?? ""
        try await say(target, RedisCommand("CLUSTER", "SETSLOT", slot, "IMPORTING", from))
        try await say(source, RedisCommand("CLUSTER", "SETSLOT", slot, "MIGRATING", to))
        async let outcomes = timeline.schedule((300..<400).map { push($0, clock) })
        for key in try await keys(of: source, in: slot) {
            var move = RedisCommand("MIGRATE", target.address.host, "\(target.address.port)")
            move.append(key)
            move.append("0")
            move.append("5000")
            try await say(source, move)
        }
        #expect(try await keys(of: source, in: slot) == [])
        for node in [target, source] {
            try await say(node, RedisCommand("CLUSTER", "SETSLOT", slot, "NODE", to))
        }
        #expect(try await outcomes.allSatisfy { $0 == .accepted })
        #expect(try await timeline.claim(limit: 1000, lease: .seconds(60)).claims.count == 400)
        await timeline.close()
    }

    private func fixture(_ cluster: RedisClusterProcess, _ name: String, _ clock: ManualClock)
        async throws -> TimelineFixture
    {
        let timeline = try await open(cluster, name, clock)
        return TimelineFixture(timeline, alarm: timeline.alarm, clock: clock) {
            await timeline.close()
            cluster.kill()
            try await cluster.restart()
            return try await fixture(cluster, name, clock)
        }
    }

    private func open(
        _ cluster: RedisClusterProcess,
        _ name: String,
        _ clock: ManualClock,
        shards: Int = 16,
        replicas: Int = 0,
        alarm: AlarmKind = .hints
    ) async throws -> RedisTimeline {
        var configuration = RedisConfiguration(owner: "test")
        configuration.confirmation.replicas = replicas
        configuration.prefix = name
        configuration.alarm = alarm
        configuration.shards = shards
        configuration.commandTimeout = .seconds(60)
        let seeds = cluster.servers.map { "127.0.0.1:\($0.port)" }.joined(separator: ",")
        let address = try RedisAddress("\(cluster.address)?seeds=\(seeds)")
        return try await RedisTimeline.open(
            address,
            configuration: configuration,
            clock: .given(clock),
            seed: 1
        )
    }

    private func push(_ number: Int, _ clock: ManualClock) -> Push {
        Push(
            id: PushID("push/\(number)"),
            recipient: Recipient(account: "a", person: "person \(number)"),
            due: clock.now(),
            channel: "log",
            payload: []
        )
    }

    @discardableResult
    private func say(_ node: RedisNode, _ command: RedisCommand) async throws -> RedisReply {
        try await node.ask([command])[0].get()
    }

    private func keys(of node: RedisNode, in slot: String) async throws -> [[UInt8]] {
        let reply = try await say(node, RedisCommand("CLUSTER", "GETKEYSINSLOT", slot, "10000"))
        return (reply.elements ?? []).compactMap(\.bytes)
    }
}
