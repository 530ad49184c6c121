import BelfryCore
import BelfrySimulation
import BelfryTestSupport
import Synchronization
import Testing

@testable import BelfryJournal

@Suite("A damaged block of a run")
struct DamageTests {
    private let clock = ManualClock()
    private let run = "run-0000000000000001.run"

    /// Keeps what the engine tells.
    private final class Told: Sendable {
        private let blocks = Mutex<[DamagedBlock]>([])

        var all: [DamagedBlock] { blocks.withLock { $0 } }

        func tell(_ block: DamagedBlock) { blocks.withLock { $0.append(block) } }
    }

    private func configuration(_ told: Told = Told()) -> JournalConfiguration {
        var configuration = JournalConfiguration()
        configuration.checkpointBytes = 1 << 30
        configuration.nearWindow = .zero
        configuration.farWindow = .zero
        configuration.blockBytes = 500
        configuration.tellDamage = { told.tell($0) }
        return configuration
    }

    private func push(_ id: String, to person: String? = nil) -> Push {
        Push(
            id: PushID(id),
            recipient: Recipient(account: "shop", person: person ?? id),
            due: clock.now() + .days(3),
            channel: "log",
            payload: Array(repeating: 1, count: 100)
        )
    }

    private let ids = (0..<40).map { PushID("far\($0)") }

    /// A lane with 40 pushes in one run, of which a block is damaged.
    private func lane() throws -> Lane<SimulatedDisk> {
        let disk = SimulatedDisk()
        let moment = Moment(clock)
        var lane = try Lane.open(disk, limits: configuration(), at: moment)
        let batch = try PushBatch(ids.map { push($0.text) })
        _ = try lane.schedule(ScheduleCall(batch, key: lane.key), at: moment)
        try lane.checkpoint(at: moment)
        lane.markClosed()
        lane.close()
        disk.flip(run, at: 1500)
        return try Lane.open(disk, limits: configuration(), at: moment)
    }

    /// The folder of a timeline with such a run in its second lane.
    private func folder() async throws -> TemporaryFolder {
        let folder = TemporaryFolder()
        var settings = configuration()
        settings.lanes = 2
        settings.checkpointBytes = 2000
        let timeline = try await JournalTimeline.open(
            folder: folder.path,
            configuration: settings,
            clock: clock
        )
        for id in ids { try await timeline.schedule([push(id.text)]) }
        await timeline.close()
        let name = try #require(folder.names(of: "lane-1").first { $0.hasPrefix("run-") })
        // In the first block.
        folder.flip("lane-1/\(name)", at: 100)
        return folder
    }

    @Test("is set aside, and everything else is lent; the rest of its pushes stay pending")
    func claimed() throws {
        var lane = try lane()
        let moment = Moment(
            now: clock.now().milliseconds + Duration.days(4).milliseconds,
            steady: 0
        )
        var claimed: Set<PushID> = []
        while true {
            let batch = try lane.claim(limit: 10, lease: .seconds(30), at: moment)
            if batch.claims.isEmpty {
                #expect(batch.nextDue.map { $0 > batch.now } ?? true)
                break
            }
            claimed.formUnion(batch.claims.map(\.push.id))
        }
        let damage = try #require(lane.runs.damage.first)
        #expect(lane.runs.damage.count == 1)
        #expect(damage.file == run && (damage.offset..<damage.offset + damage.length) ~= 1500)
        #expect(damage.pushes > 0 && claimed.count == 40 - damage.pushes)
        #expect(lane.counts().damaged == damage.pushes)
        #expect(lane.newDamage == [damage])
        for id in ids where !claimed.contains(id) {
            let found = try #require(try lane.find(id))
            #expect(found.state == .damaged)
            #expect(found.push.recipient.account == "shop")
            #expect(found.push.due == clock.now() + .days(3))
        }
        #expect(lane.pending == 40)
        lane.close()
    }

    @Test("its pushes can be cancelled and replaced by their ids, one by one")
    func ended() throws {
        var lane = try lane()
        let moment = Moment(clock)
        var damaged: [PushID] = []
        for id in ids where try lane.find(id)?.state == .damaged { damaged.append(id) }
        try #require(damaged.count >= 2)
        let outcomes = try lane.cancel([damaged[0], "nobody"], at: moment)
        #expect(outcomes == [.cancelled, .gone])
        #expect(try lane.find(damaged[0]) == nil)
        let batch = try PushBatch([push(damaged[1].text)])
        let placed = try lane.schedule(ScheduleCall(batch, key: lane.key), at: moment)
        #expect(placed == [.replaced])
        #expect(try lane.find(damaged[1])?.state == .scheduled)
        #expect(lane.counts().damaged == damaged.count - 2)
        // With the last of them the damage is over.
        _ = try lane.cancel(damaged, at: moment)
        #expect(lane.runs.damage.isEmpty && lane.counts().damaged == 0)
        lane.close()
    }

    @Test("does not keep checkpoints from being written, however dead its run is")
    func checkpoint() throws {
        var lane = try lane()
        let moment = Moment(clock)
        var damaged: [PushID] = []
        for id in ids where try lane.find(id)?.state == .damaged { damaged.append(id) }
        _ = try lane.cancel(ids.filter { !damaged.contains($0) }, at: moment)
        try lane.checkpoint(at: moment)
        #expect(lane.pending == damaged.count)
        #expect(lane.counts().damaged == damaged.count)
        lane.close()
    }

    @Test("an id in it goes over to another recipient like any other")
    func moved() async throws {
        let folder = try await folder()
        let timeline = try await JournalTimeline.open(
            folder: folder.path,
            configuration: configuration(),
            clock: clock
        )
        let found = try await timeline.find(ids)
        let damaged = zip(ids, found).filter { $0.1?.state == .damaged }.map(\.0)
        try #require(!damaged.isEmpty)
        for id in damaged {
            for person in (0..<8).map({ "new\($0)" }) {
                _ = try await timeline.schedule([push(id.text, to: person)])
            }
        }
        #expect(try await timeline.counts().scheduled == 40)
        #expect(try await timeline.counts().damaged == 0)
        #expect(try await timeline.find(damaged).allSatisfy { $0?.state == .scheduled })
        await timeline.close()
    }

    @Test("is found and told soon after the opening, long before it is due")
    func checked() async throws {
        let folder = try await folder()
        let told = Told()
        var settings = configuration(told)
        settings.checksRuns = true
        let timeline = try await JournalTimeline.open(
            folder: folder.path,
            configuration: settings,
            clock: clock
        )
        // Closing waits for nothing but the block that is being read: what is asked here waits for the whole check.
        while try await timeline.damage().isEmpty { await Task.yield() }
        let damage = try await timeline.damage()
        #expect(damage.count == 1)
        #expect(damage[0].file.hasPrefix("lane-1/run-"))
        await timeline.close()
        #expect(told.all == damage)
    }

    @Test("a copy says what in it is damaged, and the timeline then knows it, too")
    func copied() async throws {
        let folder = try await folder()
        let told = Told()
        let timeline = try await JournalTimeline.open(
            folder: folder.path,
            configuration: configuration(told),
            clock: clock
        )
        let copy = TemporaryFolder()
        let report = try await timeline.copy(into: copy.path)
        #expect(report.damaged.count == 1)
        #expect(report.damaged.first?.file.hasPrefix("lane-1/run-") == true)
        #expect(try await timeline.damage() == report.damaged)
        await timeline.close()
        #expect(told.all == report.damaged)
    }
}
