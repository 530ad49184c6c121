import BelfryCore
import BelfryJournal
import BelfrySimulation
import BelfryTimelineConformance
import Testing

/// One after another: each case is a timeline with threads and open files of its own, and there are hundreds.
@Suite("The embedded timeline keeps the promises", .serialized)
struct JournalConformanceTests {
    @Test("of every timeline", arguments: TimelineRule.all)
    func keeps(rule: TimelineRule) async throws {
        let fixture = try await fixture(in: TemporaryFolder(), ManualClock(), .init())
        try await rule.check(fixture)
    }

    @Test("with a checkpoint after every group and nothing kept near", arguments: TimelineRule.all)
    func keepsFromDisk(rule: TimelineRule) async throws {
        var configuration = JournalConfiguration()
        configuration.checkpointBytes = 1
        configuration.sliceBytes = 300
        configuration.farWindow = .zero
        configuration.nearWindow = .zero
        configuration.lookAhead = .zero
        configuration.blockBytes = 512
        let fixture = try await fixture(in: TemporaryFolder(), ManualClock(), configuration)
        try await rule.check(fixture)
    }

    @Test("with everything that is not due waiting in the journal", arguments: TimelineRule.all)
    func keepsFromJournal(rule: TimelineRule) async throws {
        var configuration = JournalConfiguration()
        configuration.farWindow = .zero
        configuration.nearWindow = .zero
        let fixture = try await fixture(in: TemporaryFolder(), ManualClock(), configuration)
        try await rule.check(fixture)
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
