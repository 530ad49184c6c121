import BelfryCore
import BelfryRedisProcess
import BelfrySimulation
import BelfryTimelineConformance
import Testing

@testable import BelfryRedis
@testable import BelfryRedisClient

/// One after another: each case has a server of its own.
@Suite("The timeline on Redis keeps the promises", .serialized)
struct RedisConformanceTests {
    @Test("of every timeline, in many shards", arguments: TimelineRule.all)
    func keeps(rule: TimelineRule) async throws {
        let fixture = try await fixture(RedisProcess(), ManualClock(), shards: 8)
        try await rule.check(fixture)
    }

    @Test("of every timeline, in one shard", arguments: TimelineRule.all)
    func keepsInOne(rule: TimelineRule) async throws {
        try await rule.check(try await fixture(RedisProcess(), ManualClock(), shards: 1))
    }

    @Test(
        "whatever wakes the worker",
        arguments: [AlarmKind.polling, .keyspace],
        TimelineRule.all.filter { $0.promise == "T12" }
    )
    func keepsWith(alarm: AlarmKind, rule: TimelineRule) async throws {
        let server = try RedisProcess()
        let clock = ManualClock()
        let timeline = try await RedisTimeline.ready(server, .given(clock), alarm: alarm)
        try await rule.check(TimelineFixture(timeline, alarm: timeline.alarm, clock: clock))
        await timeline.close()
        server.kill()
    }

    /// Opening again kills the server and starts it with what it has on disk.
    private func fixture(_ server: RedisProcess, _ clock: ManualClock, shards: Int) async throws
        -> TimelineFixture
    {
        let timeline = try await RedisTimeline.ready(server, .given(clock), shards: shards)
        return TimelineFixture(timeline, alarm: timeline.alarm, clock: clock) {
            await timeline.close()
            server.kill()
            try server.restart()
            return try await fixture(server, clock, shards: shards)
        }
    }
}

extension RedisTimeline {
    /// Opens one on a server that may still be starting.
    static func ready(
        _ server: RedisProcess,
        _ clock: RedisClock = .server,
        shards: Int = 8,
        owner: String = "test",
        replicas: Int = 0,
        intents: IntentUse = .off,
        alarm: AlarmKind = .hints,
        records: String = "",
        lost: @escaping @Sendable ([Int]) -> Void = { _ in }
    ) async throws -> RedisTimeline {
        var configuration = RedisConfiguration(owner: owner)
        configuration.shards = shards
        configuration.confirmation.replicas = replicas
        configuration.intents = intents
        configuration.alarm = alarm
        configuration.records = records
        configuration.lost = lost
        // A machine that is busy with other tests may keep a server waiting for its disk.
        configuration.commandTimeout = .seconds(60)
        let address = try RedisAddress(server.address)
        var left = 200
        while true {
            do throws(TimelineError) {
                let timeline = try await open(
                    address,
                    configuration: configuration,
                    clock: clock,
                    seed: 1
                )
                if !records.isEmpty { try await timeline.hold() }
                return timeline
            } catch {
                left -= 1
                guard error.code == .io, left > 0 else { throw error }
            }
            // Another process needs its time to start; nothing but trying tells when it is there.
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}
