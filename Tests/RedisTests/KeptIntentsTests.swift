import BelfryCore
import BelfryRedisProcess
import BelfrySimulation
import Foundation
import Testing

@testable import BelfryRedis

@Suite("Changes that are kept until a replica has them", .serialized)
struct KeptIntentsTests {
    private let folder = NSTemporaryDirectory() + "belfry-kept-\(UUID())"
    private let clock = ManualClock()

    @Test("are let go when every replica has them, and not before")
    func passing() async throws {
        defer { remove() }
        let primary = try RedisProcess()
        defer { primary.remove() }
        let replica = try RedisProcess(["--replicaof", "127.0.0.1", "\(primary.port)"])
        defer { replica.remove() }
        try await primary.answers()
        try await replica.follows()
        let timeline = try await RedisTimeline.ready(
            primary,
            .given(clock),
            intents: .whereReplicated(folder: folder)
        )
        let intents = try #require(timeline.intents)
        #expect(timeline.hasReplicas)
        try await timeline.schedule((0..<100).map { push($0, bytes: 2000) })
        try await pass(timeline) { intents.bytes == 0 }
        #expect(intents.bytes == 0)
        // It hears of nothing any more.
        try await replica.command("CONFIG", "SET", "masteruser", "nobody")
        try await replica.command("CONFIG", "SET", "masterauth", "wrong")
        try await primary.command("CLIENT", "KILL", "TYPE", "replica")
        try await timeline.schedule((100..<200).map { push($0, bytes: 2000) })
        let kept = intents.bytes
        var mark: IntentMark?
        for _ in 0..<20 {
            clock.advance(by: .seconds(60))
            try await timeline.passOnce(&mark)
        }
        #expect(intents.bytes == kept && kept > 200_000)
        try await replica.command("CONFIG", "SET", "masteruser", "")
        try await replica.command("CONFIG", "SET", "masterauth", "")
        try await pass(timeline) { intents.bytes == 0 }
        #expect(intents.bytes == 0)
        await timeline.close()
    }

    @Test("are done again at the start, where the server lost them while nobody was there")
    func atStart() async throws {
        defer { remove() }
        let server = try RedisProcess()
        defer { server.remove() }
        let first = try await open(server, "one")
        try await first.schedule([push(1), push(2)])
        try server.keepFiles(in: "\(folder)/before")
        try await first.schedule([push(3), push(4)])
        #expect(try await first.cancel([push(1).id, push(4).id]) == [.cancelled, .cancelled])
        let claim = try #require(try await first.claim(limit: 1, lease: .seconds(60)).claims.first)
        #expect(claim.push.id == push(2).id)
        let end = Settlement(token: claim.token, result: .done, successors: [push(5)])
        #expect(try await first.settle([end]) == [.settled])
        let sequence = try await first.find([push(3).id])[0]?.sequence
        await first.close()
        try await lose(server)
        let again = try await open(server, "one")
        let found = try await again.find((1...5).map { push($0).id })
        #expect(found.map { $0?.push } == [nil, nil, push(3), nil, push(5)])
        #expect(found[2]?.sequence == sequence, "it is the same version")
        // The token of the old claim was never given again.
        #expect(try await again.settle([end]) == [.stale])
        await again.close()
    }

    @Test("bring nothing back that another process has ended, before the loss or after it")
    func together() async throws {
        defer { remove() }
        let server = try RedisProcess()
        defer { server.remove() }
        let one = try await open(server, "one")
        let two = try await open(server, "two")
        try await one.schedule([push(0)])
        try server.keepFiles(in: "\(folder)/before")
        try await one.schedule([push(1), push(2), push(3)])
        #expect(try await two.cancel([push(1).id]) == [.cancelled])
        try await lose(server)
        // Of what the other one has scheduled this one knows nothing, unless that one has heard of the loss before, and has put it again.
        #expect([[.gone], [.cancelled]].contains(try await two.cancel([push(2).id])))
        // Now the other one hears that somebody has adopted its shards.
        _ = try await one.nextDue()
        let found = try await one.find((0...3).map { push($0).id })
        #expect(found.map { $0?.push } == [push(0), nil, nil, push(3)])
        for timeline in [one, two] { await timeline.close() }
    }

    @Test("are done again where a server is asked that had been left meanwhile, under its old name")
    func comesBack() async throws {
        defer { remove() }
        let server = try RedisProcess([
            "--appendonly", "no", "--enable-debug-command", "local",
        ])
        defer { server.remove() }
        let timeline = try await open(server, "one")
        try await timeline.schedule([push(1), push(2)])
        try await server.command("SAVE")
        try await timeline.schedule([push(3), push(4)])
        #expect(try await timeline.cancel([push(1).id]) == [.cancelled])
        // As one that knows nothing of what another primary has done: the same process, the same run.
        try await server.command("DEBUG", "RELOAD", "NOSAVE")
        #expect(try await timeline.cancel([push(4).id]) == [.cancelled])
        let found = try await timeline.find((1...4).map { push($0).id })
        #expect(found.map { $0?.push } == [nil, push(2), push(3), nil])
        await timeline.close()
    }

    /// The server has again what it had when its files were kept.
    private func lose(_ server: RedisProcess) async throws {
        server.kill()
        try server.takeFiles(from: "\(folder)/before")
        try server.restart()
        try await server.answers()
    }

    private func open(_ server: RedisProcess, _ owner: String) async throws -> RedisTimeline {
        try await RedisTimeline.ready(
            server,
            .given(clock),
            owner: owner,
            intents: .on(folder: "\(folder)/\(owner)")
        )
    }

    /// Rounds of letting go, until that is so: replicas tell every second what they have.
    private func pass(_ timeline: RedisTimeline, until isSo: () -> Bool) async throws {
        var mark: IntentMark?
        for _ in 0..<1500 where !isSo() {
            try await timeline.passOnce(&mark)
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private func push(_ number: Int, bytes: Int = 10) -> Push {
        Push(
            id: PushID("push/\(number)"),
            recipient: Recipient(account: "a", person: "person \(number)"),
            due: number == 2 ? clock.now() : Timestamp(milliseconds: 1_800_000_000_000),
            channel: "log",
            payload: [UInt8](repeating: 7, count: bytes)
        )
    }

    private func remove() {
        // A test's leavings, in a temporary folder.
        try? FileManager.default.removeItem(atPath: folder)
    }
}
