import BelfryCore
import BelfryJournal
import BelfryMoving
import BelfrySimulation
import BelfryTestSupport
import Testing

@Suite("Moving while pushes are scheduled, cancelled, replaced and sent", .serialized)
struct MoveLifeTests {
    @Test(
        "loses, doubles and hurries nothing, whichever way it goes",
        arguments: 1...40 as ClosedRange<UInt64>
    )
    func life(seed: UInt64) async throws {
        let folders = [TemporaryFolder(), TemporaryFolder()]
        let clock = ManualClock()
        var sides: [Side] = []
        for (mark, folder) in folders.enumerated() {
            var configuration = JournalConfiguration()
            configuration.lanes = 1 + mark
            // Some near, some far.
            configuration.farWindow = .seconds(10)
            configuration.nearWindow = .seconds(5)
            configuration.lookAhead = .seconds(5)
            configuration.checkpointBytes = 4000
            let engine = try await JournalTimeline.open(
                folder: folder.path,
                configuration: configuration,
                clock: clock
            )
            sides.append(Side(engine, alarm: engine.alarm, mark: UInt8(mark)))
        }
        let timeline = MidMove(Sides(sides[1], source: sides[0]), seed: seed)
        var life = MoveLife(timeline, clock: clock, seed: seed)
        try await life.run(acts: 400)
        #expect(life.sent > 20, "seed \(seed)")
    }
}
