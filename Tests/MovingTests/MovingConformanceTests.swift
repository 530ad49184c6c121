import BelfryCore
import BelfryJournal
import BelfryMoving
import BelfryRedis
import BelfryRedisClient
import BelfryRedisProcess
import BelfrySimulation
import BelfryTestSupport
import BelfryTimelineConformance
import Testing

/// One after another: each case has threads and files, or a server, of its own.
@Suite("In the middle of a move the promises are kept", .serialized)
struct MovingConformanceTests {
    /// Numbers of acceptance are each engine's own: they order what was not moved, and no more than that.
    private static let weaker = [
        "holds for many people together, and for each in order of acceptance",
        "a known id takes the new payload and due time",
    ]
    private static let rules = TimelineRule.all.filter {
        $0.promise.hasPrefix("T") && !weaker.contains($0.name)
    }

    @Test("between two embedded timelines", arguments: rules, [1, 2, 3] as [UInt64])
    func journals(rule: TimelineRule, seed: UInt64) async throws {
        let folders = [TemporaryFolder(), TemporaryFolder()]
        try await rule.check(try await journals(in: folders, ManualClock(), seed: seed))
    }

    private func journals(in folders: [TemporaryFolder], _ clock: ManualClock, seed: UInt64)
        async throws -> TimelineFixture
    {
        var engines: [JournalTimeline] = []
        for (number, folder) in folders.enumerated() {
            var configuration = JournalConfiguration()
            configuration.lanes = number + 1
            engines.append(
                try await JournalTimeline.open(
                    folder: folder.path,
                    configuration: configuration,
                    clock: clock
                )
            )
        }
        let both = engines
        let sides = Sides(
            Side(both[1], alarm: both[1].alarm, mark: 1),
            source: Side(both[0], alarm: both[0].alarm, mark: 0)
        )
        let timeline = MidMove(sides, seed: seed)
        return TimelineFixture(timeline, alarm: timeline.moving.alarm, clock: clock) {
            for engine in both { await engine.close() }
            return try await journals(in: folders, clock, seed: seed)
        }
    }

    @Test("between two layouts on one Redis server", arguments: rules)
    func redis(rule: TimelineRule) async throws {
        let server = try RedisProcess()
        try await rule.check(try await redis(server, ManualClock()))
    }

    private func redis(_ server: RedisProcess, _ clock: ManualClock) async throws
        -> TimelineFixture
    {
        let old = try await RedisTimeline.ready(server, clock, prefix: "belfry", shards: 4)
        let new = try await RedisTimeline.ready(server, clock, prefix: "belfry.1", shards: 7)
        let sides = Sides(
            Side(new, alarm: new.alarm, mark: 1),
            source: Side(old, alarm: old.alarm, mark: 0)
        )
        let timeline = MidMove(sides, seed: 1)
        return TimelineFixture(timeline, alarm: timeline.moving.alarm, clock: clock) {
            await old.close()
            await new.close()
            server.kill()
            try server.restart()
            return try await redis(server, clock)
        }
    }
}

extension RedisTimeline {
    /// Opens one on a server that may still be starting.
    static func ready(
        _ server: RedisProcess,
        _ clock: ManualClock,
        prefix: String,
        shards: Int
    ) async throws -> RedisTimeline {
        var configuration = RedisConfiguration(owner: "test")
        configuration.prefix = prefix
        configuration.shards = shards
        // A machine that is busy with other tests may keep a server waiting for its disk.
        configuration.commandTimeout = .seconds(60)
        let address = try RedisAddress(server.address)
        var left = 200
        while true {
            do throws(TimelineError) {
                return try await open(
                    address,
                    configuration: configuration,
                    clock: .given(clock),
                    seed: 1
                )
            } catch {
                left -= 1
                guard error.code == .io, left > 0 else { throw error }
            }
            // Another process needs its time to start; nothing but trying tells when it is there.
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}
