import BelfryCore
import BelfryJournal
import BelfrySimulation
import BelfryTestSupport
import BelfryTimelineConformance
import Testing

/// One after another: each case is a timeline with threads and open files of its own, and there are hundreds.
@Suite("The embedded timeline keeps the promises", .serialized)
struct JournalConformanceTests {
    private static let lanes = [1, 2, 4]

    @Test("of every timeline", arguments: TimelineRule.all, lanes)
    func keeps(rule: TimelineRule, lanes: Int) async throws {
        var configuration = JournalConfiguration()
        configuration.lanes = lanes
        let fixture = try await fixture(in: TemporaryFolder(), ManualClock(), configuration)
        try await rule.check(fixture)
    }

    @Test(
        "with a checkpoint after every group and nothing kept near",
        arguments: TimelineRule.all,
        lanes
    )
    func keepsFromDisk(rule: TimelineRule, lanes: Int) async throws {
        var configuration = JournalConfiguration()
        configuration.lanes = lanes
        configuration.checkpointBytes = 1
        configuration.sliceBytes = 300
        configuration.farWindow = .zero
        configuration.nearWindow = .zero
        configuration.lookAhead = .zero
        configuration.blockBytes = 512
        let fixture = try await fixture(in: TemporaryFolder(), ManualClock(), configuration)
        try await rule.check(fixture)
    }

    @Test(
        "with everything that is not due waiting in the journal",
        arguments: TimelineRule.all,
        lanes
    )
    func keepsFromJournal(rule: TimelineRule, lanes: Int) async throws {
        var configuration = JournalConfiguration()
        configuration.lanes = lanes
        configuration.farWindow = .zero
        configuration.nearWindow = .zero
        let fixture = try await fixture(in: TemporaryFolder(), ManualClock(), configuration)
        try await rule.check(fixture)
    }

    @Test(
        "with a look at every tick in place of the wheel's word",
        arguments: TimelineRule.all.filter { $0.promise == "T12" }
    )
    func keepsPolled(rule: TimelineRule) async throws {
        let folder = TemporaryFolder()
        let clock = ManualClock()
        let timeline = try await JournalTimeline.open(folder: folder.path, clock: clock)
        let alarm = PollingAlarm(tick: .seconds(1), clock: clock)
        try await rule.check(TimelineFixture(timeline, alarm: alarm, clock: clock))
        await timeline.close()
    }

    private func fixture(
        in folder: TemporaryFolder,
        _ clock: ManualClock,
        _ configuration: JournalConfiguration
    ) async throws -> TimelineFixture {
        let timeline = try await JournalTimeline.open(
            folder: folder.path,
            configuration: configuration,
            clock: clock
        )
        return TimelineFixture(timeline, alarm: timeline.alarm, clock: clock) {
            await timeline.close()
            return try await fixture(in: folder, clock, configuration)
        }
    }
}
