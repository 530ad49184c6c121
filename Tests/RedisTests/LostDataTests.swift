import BelfryCore
import BelfryRedisProcess
import BelfrySimulation
import Foundation
import Synchronization
import Testing

@testable import BelfryRedis

@Suite("A Redis that has lost its data", .serialized)
struct LostDataTests {
    private let clock = ManualClock()
    private let folder = NSTemporaryDirectory() + "belfry-lost-\(UUID())"

    /// What a timeline was told.
    private final class Told: Sendable {
        private let all = Mutex<[[Int]]>([])
        var shards: [[Int]] { all.withLock { $0 } }
        var listener: @Sendable ([Int]) -> Void {
            { shards in self.all.withLock { $0.append(shards) } }
        }
    }

    @Test("is told once to everybody who uses it, and goes on with what comes")
    func flushed() async throws {
        let server = try RedisProcess()
        defer { server.remove() }
        let (ours, theirs) = (Told(), Told())
        let one = try await open(server, "one", ours)
        let two = try await open(server, "two", theirs)
        try await one.schedule((0..<40).map(push))
        _ = try await two.nextDue()
        #expect(ours.shards == [] && theirs.shards == [])
        try await server.command("FLUSHALL")
        #expect(try await one.counts().scheduled == 0)
        #expect(ours.shards == [Array(0..<8)])
        // Whoever comes later hears of it by looking.
        _ = try await two.nextDue()
        #expect(theirs.shards == [Array(0..<8)])
        #expect(try await two.schedule([push(1)]) == [.accepted])
        #expect(try await one.find([push(1).id])[0]?.push == push(1))
        for timeline in [one, two] { _ = try await timeline.nextDue() }
        #expect(ours.shards.count == 1 && theirs.shards.count == 1)
        // What all must agree on is there again.
        let other = await #expect(throws: TimelineError.self) {
            _ = try await RedisTimeline.ready(server, .given(clock), records: "other")
        }
        #expect(other?.message.contains("other records") == true)
        for timeline in [one, two] { await timeline.close() }
    }

    @Test("is noticed where it has started again without a file, and not where it had one")
    func restarted() async throws {
        for (setting, losses) in [("no", [Array(0..<8)]), ("yes", [])] {
            let server = try RedisProcess(["--appendonly", setting])
            defer { server.remove() }
            let told = Told()
            let timeline = try await open(server, "one", told)
            try await timeline.schedule((0..<40).map(push))
            server.kill()
            try server.restart()
            try await server.answers()
            #expect(try await counted(timeline) == (losses.isEmpty ? 40 : 0))
            #expect(told.shards == losses)
            await timeline.close()
        }
    }

    @Test(
        "has again what was just accepted, where that is kept, and what is lost beyond it is told"
    )
    func kept() async throws {
        // A test's leavings, in a temporary folder.
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let server = try RedisProcess()
        defer { server.remove() }
        let told = Told()
        let timeline = try await open(server, "one", told, intents: .on(folder: folder))
        try await timeline.schedule((0..<40).map(push))
        try await server.command("FLUSHALL")
        #expect(try await counted(timeline) == 40)
        #expect(told.shards == [Array(0..<8)])
        await timeline.close()
    }

    @Test("and is others' since, is not used any more")
    func taken() async throws {
        let server = try RedisProcess()
        defer { server.remove() }
        let told = Told()
        let timeline = try await open(server, "one", told)
        try await server.command("FLUSHALL")
        let other = try await RedisTimeline.ready(server, .given(clock), records: "other")
        for _ in 0..<2 {
            let error = await #expect(throws: TimelineError.self) {
                _ = try await timeline.nextDue()
            }
            #expect(error?.message.contains("other records") == true)
        }
        #expect(told.shards == [])
        for timeline in [timeline, other] { await timeline.close() }
    }

    private func open(
        _ server: RedisProcess,
        _ owner: String,
        _ told: Told,
        intents: IntentUse = .off
    ) async throws -> RedisTimeline {
        try await RedisTimeline.ready(
            server,
            .given(clock),
            owner: owner,
            intents: intents,
            // Nobody looks but the test.
            alarm: .polling,
            records: "ours",
            lost: told.listener
        )
    }

    /// How many are scheduled, asked until the connection to a server that has started again is a new one.
    private func counted(_ timeline: RedisTimeline) async throws -> Int {
        for _ in 0..<100 {
            do throws(TimelineError) { return try await timeline.counts().scheduled } catch {
                guard error.code == .io else { throw error }
            }
        }
        return try await timeline.counts().scheduled
    }

    private func push(_ number: Int) -> Push {
        Push(
            id: PushID("push/\(number)"),
            recipient: Recipient(account: "a", person: "person \(number)"),
            due: Timestamp(milliseconds: 1_800_000_000_000),
            channel: "log",
            payload: [7]
        )
    }
}
