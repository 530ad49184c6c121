import BelfryCore
import BelfryRedisProcess
import BelfrySimulation
import Testing

@testable import BelfryRedis

@Suite("Workers that share shards")
struct OwnershipTests {
    private let clock = ManualClock()

    @Test("have one owner for each shard, and move only what a worker had who has gone")
    func rendezvous() {
        let workers = (0..<8).map { "worker \($0)" }
        let before = (0..<1024).map { ShardOwnership.owner(of: $0, among: workers) }
        for worker in workers {
            let count = before.count { $0 == worker }
            #expect(64...256 ~= count, "\(worker) has \(count) of 1024")
        }
        let after = (0..<1024).map {
            ShardOwnership.owner(of: $0, among: Array(workers.dropLast()))
        }
        for (old, new) in zip(before, after) where old != workers.last { #expect(old == new) }
    }

    @Test(
        "claim from their own first, from all where those have nothing, and from one that is gone"
    )
    func claims() async throws {
        let server = try RedisProcess()
        defer { server.remove() }
        let one = try await RedisTimeline.ready(server, .given(clock), shards: 16, owner: "one")
        let two = try await RedisTimeline.ready(server, .given(clock), shards: 16, owner: "two")
        // Both say that they are there, and hear of each other.
        for timeline in [one, two, one] {
            #expect(try await timeline.claim(limit: 1, lease: .seconds(600)).claims.isEmpty)
            clock.advance(by: .seconds(6))
        }
        try await one.schedule((0..<200).map { push($0) })
        let first = try await one.claim(limit: 20, lease: .seconds(600)).claims
        #expect(first.count == 20)
        for claim in first {
            let shard = Generation(claim.token.generation).shard
            #expect(ShardOwnership.owner(of: shard, among: ["one", "two"]) == "one")
        }
        // The other one never comes: what it has waits no longer than a second.
        clock.advance(by: .seconds(1))
        var rest = 180
        while rest > 0 {
            let claims = try await one.claim(limit: 50, lease: .seconds(600)).claims
            try #require(!claims.isEmpty)
            rest -= claims.count
        }
        // It comes back after its leases ended, and holds nothing.
        let late = Settlement(token: try #require(first.first).token, result: .done)
        clock.advance(by: .seconds(601))
        let again = try await two.claim(limit: 500, lease: .seconds(60)).claims
        #expect(again.count == 200)
        #expect(try await one.settle([late]) == [.stale])
        for timeline in [one, two] { await timeline.close() }
    }

    private func push(_ number: Int) -> Push {
        Push(
            id: PushID("push/\(number)"),
            recipient: Recipient(account: "a", person: "person \(number)"),
            due: clock.now(),
            channel: "log",
            payload: []
        )
    }
}
