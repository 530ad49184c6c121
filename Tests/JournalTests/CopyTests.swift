import BelfryCore
import BelfryJournal
import BelfrySimulation
import BelfryTestSupport
import Synchronization
import Testing

@Suite("Copying a timeline that is in use")
struct CopyTests {
    private let clock = ManualClock()

    private func push(_ id: String, in seconds: Int64 = 3600, to person: String? = nil) -> Push {
        Push(
            id: PushID(id),
            recipient: Recipient(account: "a", person: person ?? id),
            due: clock.now() + .seconds(seconds),
            channel: "log",
            payload: Array(repeating: 1, count: 100)
        )
    }

    /// Goes on scheduling, cancelling and settling until it is told to stop.
    private func load(_ timeline: JournalTimeline, _ worker: Int, _ isOver: Flag) async throws {
        var number = 0
        while !isOver.isSet {
            let ids = (0..<8).map { "load\(worker).\(number).\($0)" }
            number += 1
            _ = try await timeline.schedule(
                ids.enumerated().map { push($1, in: $0 < 4 ? 0 : 9000) }
            )
            _ = try await timeline.cancel([PushID(ids[7])])
            let claims = try await timeline.claim(limit: 4, lease: .seconds(600)).claims
            _ = try await timeline.settle(claims.map { Settlement(token: $0.token, result: .done) })
        }
    }

    /// Gives the same ids to other people, who may be in other lanes, again and again.
    private func move(_ timeline: JournalTimeline, _ isOver: Flag) async throws {
        var number = 0
        while !isOver.isSet {
            number += 1
            _ = try await timeline.schedule(moving.map { push($0, to: "\($0)\(number)") })
        }
    }

    private let moving = (0..<20).map { "moving\($0)" }

    private final class Flag: Sendable {
        private let value = Mutex(false)
        var isSet: Bool { value.withLock { $0 } }
        func set() { value.withLock { $0 = true } }
    }

    @Test(
        "holds what was acknowledged before, and nothing that had ended, under load and checkpoints",
        arguments: [1, 3]
    )
    func underLoad(lanes: Int) async throws {
        let folder = TemporaryFolder()
        var configuration = JournalConfiguration()
        configuration.lanes = lanes
        configuration.checkpointBytes = 60_000 * lanes
        configuration.nearWindow = .zero
        configuration.farWindow = .zero
        configuration.blockBytes = 2000
        let timeline = try await JournalTimeline.open(
            folder: folder.path,
            configuration: configuration,
            clock: clock
        )
        let isOver = Flag()
        _ = try await timeline.schedule(moving.map { push($0) })
        try await withThrowingTaskGroup { group in
            for worker in 0..<4 {
                group.addTask { try await load(timeline, worker, isOver) }
            }
            group.addTask { try await move(timeline, isOver) }
            for round in 0..<6 {
                let kept = (0..<50).map { "kept\(round).\($0)" }
                let ended = (0..<20).map { "ended\(round).\($0)" }
                _ = try await timeline.schedule((kept + ended).map { push($0) })
                _ = try await timeline.cancel(ended.map { PushID($0) })
                let copy = TemporaryFolder()
                let bytes = try await timeline.copy(into: copy.path).bytes
                // What comes after the copy is not in it.
                _ = try await timeline.schedule([push("after\(round)")])
                #expect(bytes > 0)
                #expect(try JournalDoctor.verify(folder: copy.path).findings.isEmpty)
                let restored = try await JournalTimeline.open(folder: copy.path, clock: clock)
                let ids = (moving + kept + ended + ["after\(round)"]).map { PushID($0) }
                let found = try await restored.find(ids).map { $0 != nil }
                #expect(found[..<20].allSatisfy { $0 }, "round \(round)")
                #expect(found[20..<70].allSatisfy { $0 }, "round \(round)")
                #expect(found[70...].allSatisfy { !$0 }, "round \(round)")
                await restored.close()
            }
            isOver.set()
            try await group.waitForAll()
        }
        await timeline.close()
    }

    @Test("a copy asked for at the end is written or refused, and the timeline still closes")
    func closing() async throws {
        let folder = TemporaryFolder()
        let timeline = try await JournalTimeline.open(folder: folder.path, clock: clock)
        _ = try await timeline.schedule([push("a")])
        let copy = TemporaryFolder()
        async let bytes = timeline.copy(into: copy.path)
        await timeline.close()
        do { #expect(try await bytes.bytes > 0) } catch { #expect(error as? TimelineError != nil) }
        await #expect(throws: TimelineError.self) { try await timeline.copy(into: copy.path) }
    }

    @Test(
        "of a stopped timeline everything up to the last whole record is copied, of a damaged one nothing"
    )
    func stopped() async throws {
        let disk = SimulatedDisk()
        let timeline = try await JournalTimeline.open(disk: disk, clock: clock)
        _ = try await timeline.schedule([push("a")])
        _ = try await timeline.schedule([push("b")])
        let killed = disk.copy()
        await timeline.close()
        let segment = "journal-0000000000000002.log"
        killed.cut(segment, to: killed.size(of: segment) - 1)
        let copy = SimulatedDisk()
        #expect(try JournalCopy.write(from: killed, to: copy) > 0)
        let restored = try await JournalTimeline.open(disk: copy, clock: clock)
        #expect(restored.dropped.isEmpty)
        #expect(try await restored.find(["a", "b"]).map { $0 != nil } == [true, false])
        await restored.close()

        disk.flip(segment, at: 60)
        let error = #expect(throws: TimelineError.self) {
            try JournalCopy.write(from: disk, to: SimulatedDisk())
        }
        #expect(error?.code == .corrupt)
    }
}
