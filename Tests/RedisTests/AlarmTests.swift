import BelfryCore
import BelfryRedisProcess
import BelfrySimulation
import Testing

@testable import BelfryRedis

@Suite("What wakes a worker on Redis", .serialized, .timeLimit(.minutes(5)))
struct AlarmTests {
    @Test("the end of a key, also of what another process has put, and after the connection broke")
    func keyspace() async throws {
        let server = try RedisProcess()
        defer { server.remove() }
        let mine = try await RedisTimeline.ready(server, owner: "one", alarm: .keyspace)
        let other = try await RedisTimeline.ready(server, owner: "two", alarm: .keyspace)
        #expect(try await server.command("CONFIG", "GET", "notify-keyspace-events").contains("E"))
        try await listeners(of: server, are: 2)
        try await wakes(mine, by: other, 1)
        // Its settings are gone with a restart, and so are those who listen.
        server.kill()
        try server.restart()
        try await server.answers()
        try await listeners(of: server, are: 2)
        try await wakes(mine, by: other, 2)
        for timeline in [mine, other] { await timeline.close() }
    }

    /// Nothing else could: by this process's book nothing is due, and there is no sweep.
    private func wakes(_ mine: RedisTimeline, by other: RedisTimeline, _ number: Int) async throws {
        let waiting = Task { try await mine.alarm.wait(nextDue: nil) }
        var due = SystemClock().now()
        var count = 0
        // What is due when it is put rings for nobody but who has put it: a slow machine tries again.
        while true {
            due = SystemClock().now() + .milliseconds(500)
            let push = Push(
                id: PushID("push/\(number)/\(count)"),
                recipient: Recipient(account: "a", person: "o"),
                due: due,
                channel: "log",
                payload: []
            )
            try await other.schedule([push])
            if SystemClock().now() < due { break }
            _ = try await other.cancel([push.id])
            count += 1
        }
        try await waiting.value
        var batch = try await mine.claim(limit: 100, lease: .seconds(600))
        // Whoever has just subscribed anew is woken to look, too.
        while batch.claims.isEmpty, batch.now < due {
            try await mine.alarm.wait(nextDue: nil)
            batch = try await mine.claim(limit: 100, lease: .seconds(600))
        }
        #expect(batch.claims.map(\.push.id) == [PushID("push/\(number)/\(count)")])
        #expect(batch.now >= due)
        let ends = batch.claims.map { Settlement(token: $0.token, result: .done) }
        #expect(try await mine.settle(ends).allSatisfy { $0 == .settled })
    }

    private func listeners(of server: RedisProcess, are count: Int) async throws {
        let channel = "__keyevent@0__:expired"
        for _ in 0..<1500 {
            let said = try await server.command("PUBSUB", "NUMSUB", channel)
            if said.hasSuffix("\(count)\n") { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        Issue.record("nobody listens")
    }

    @Test("a tick, whatever is due")
    func polling() async throws {
        let server = try RedisProcess()
        defer { server.remove() }
        let clock = ManualClock()
        let timeline = try await RedisTimeline.ready(server, .given(clock), alarm: .polling)
        let waiting = Task { try await timeline.alarm.wait(nextDue: nil) }
        while clock.sleepers == 0 { await Task.yield() }
        clock.advance(by: .seconds(1))
        try await waiting.value
        await timeline.close()
    }
}
