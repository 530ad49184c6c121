import BelfryCore
import BelfryPostgresProcess
import BelfrySimulation
import BelfryTimelineConformance
import Synchronization
import Testing

@testable import BelfryPostgres

/// One after another: some end the server that all share.
@Suite("The timeline on PostgreSQL keeps the promises", .serialized, .postgres)
struct PostgresConformanceTests {
    @Test("of every timeline", arguments: TimelineRule.all)
    func keeps(rule: TimelineRule) async throws {
        let life = Life(try #require(PostgresServer.current), schema: freshSchema())
        do { try await rule.check(try await life.fixture()) } catch {
            await life.close()
            throw error
        }
        await life.close()
    }

    @Test(
        "with a look at every tick, hearing of nobody",
        arguments: TimelineRule.all.filter { $0.promise == "T12" }
    )
    func keepsPolled(rule: TimelineRule) async throws {
        let server = try #require(PostgresServer.current)
        let clock = ManualClock()
        let timeline = try await PostgresTimeline.on(server, .given(clock), schema: freshSchema()) {
            $0.listens = false
        }
        let alarm = PollingAlarm(tick: .seconds(1), clock: clock)
        try await rule.check(TimelineFixture(timeline, alarm: alarm, clock: clock))
        await timeline.close()
    }
}

/// One schema, and the timeline that is open on it.
private final class Life: Sendable {
    private let server: PostgresProcess
    private let schema: String
    private let clock = ManualClock()
    private let open = Mutex<PostgresTimeline?>(nil)

    init(_ server: PostgresProcess, schema: String) {
        self.server = server
        self.schema = schema
    }

    /// Opening again kills the server and starts it with what it has on disk.
    func fixture() async throws -> TimelineFixture {
        let timeline = try await PostgresTimeline.on(server, .given(clock), schema: schema)
        open.withLock { $0 = timeline }
        return TimelineFixture(timeline, alarm: timeline.alarm, clock: clock) { [self] in
            await close()
            server.kill()
            try await server.restart()
            return try await fixture()
        }
    }

    func close() async { await open.withLock { $0 }?.close() }
}
