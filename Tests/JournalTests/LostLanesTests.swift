import BelfryCore
import BelfrySimulation
import Testing

@testable import BelfryJournal

@Suite("Repairing a timeline that has lost its layout or a lane")
struct LostLanesTests {
    private let clock = ManualClock()
    private let ids = (0..<60).map { PushID("p\($0)") }

    private func open(_ disk: SimulatedDisk, lanes: Int? = nil) async throws(TimelineError)
        -> JournalTimeline
    {
        var configuration = JournalConfiguration()
        configuration.lanes = lanes
        configuration.checkpointBytes = 8000
        configuration.farWindow = .minutes(2)
        configuration.nearWindow = .seconds(30)
        return try await JournalTimeline.open(
            root: disk,
            configuration: configuration,
            clock: clock
        )
    }

    private func push(_ number: Int) -> Push {
        Push(
            id: ids[number],
            recipient: Recipient(account: "shop", person: "o\(number % 20)"),
            due: clock.now() + .hours(Int64(number + 1)),
            channel: "log",
            payload: Array("payload \(number)".utf8)
        )
    }

    /// 60 pushes in so many lanes, whose number was changed before if `again`.
    private func disk(lanes: Int, again: Bool = false) async throws -> SimulatedDisk {
        let disk = SimulatedDisk()
        if again { await (try open(disk, lanes: lanes + 1)).close() }
        let timeline = try await open(disk, lanes: lanes)
        for number in ids.indices { try await timeline.schedule([push(number)]) }
        await timeline.close()
        return disk
    }

    /// - Returns: files or folders of which something was dropped, and why.
    private func repair(_ disk: SimulatedDisk) throws(TimelineError) -> [String: String] {
        var told: [String: String] = [:]
        let rebuilt = try JournalRepair.rebuild(
            lanesOf: disk,
            in: SimulatedDisk(),
            at: clock.now()
        ) { (lane, piece) throws(TimelineError) in
            told[lane.isEmpty ? piece.file : "\(lane)/\(piece.file)"] = piece.reason
        }
        #expect(!rebuilt.isNeedless)
        try rebuilt.commit()
        let report = try JournalDoctor.verify(root: disk)
        #expect(report.isSound, "\(report.findings)")
        return told
    }

    @Test("a lost or damaged layout is told by the lanes", arguments: [1, 2, 3], [false, true])
    func layout(lanes: Int, again: Bool) async throws {
        for isGone in [true, false] {
            let disk = try await disk(lanes: lanes, again: again)
            if isGone {
                disk.lose("LAYOUT")
            } else {
                disk.flip("LAYOUT", at: 50)
            }
            let error = await #expect(throws: TimelineError.self) { try await open(disk) }
            #expect(error?.code == .corrupt)
            let told = try repair(disk)
            #expect(told.keys.sorted() == ["LAYOUT"])
            #expect(try disk.names().contains("damaged-LAYOUT") == !isGone)
            let timeline = try await open(disk)
            #expect(timeline.laneCount == lanes)
            #expect(try await timeline.find(ids).allSatisfy { $0 != nil })
            await timeline.close()
        }
    }

    @Test("a layout that the lanes do not tell is refused, and nothing is changed")
    func untold() async throws {
        let disk = try await disk(lanes: 2)
        disk.lose("LAYOUT")
        for lane in ["lane-0", "lane-1"] {
            disk.lose("\(lane)/MANIFEST")
        }
        let before = disk.changes
        let error = #expect(throws: TimelineError.self) { try repair(disk) }
        #expect(error?.code == .corrupt && error?.message.contains("LAYOUT") == true)
        #expect(disk.changes == before)
    }

    @Test(
        "a lane whose folder is gone, or empty, begins anew; what the others hold is kept",
        arguments: [false, true]
    )
    func lane(isEmpty: Bool) async throws {
        let disk = try await disk(lanes: 3)
        try disk.removeSubfolder("lane-1")
        if isEmpty { _ = try disk.subfolder("lane-1", making: true) }
        await #expect(throws: TimelineError.self) { try await open(disk) }
        let told = try repair(disk)
        #expect(told.keys.sorted() == ["lane-1"])
        #expect(told["lane-1"]?.contains("about one push in 3") == true)
        let timeline = try await open(disk)
        let left = try await timeline.find(ids)
        #expect((1..<60).contains(left.count { $0 != nil }))
        // The lost ones are accepted again, with numbers that no version has had.
        for number in ids.indices where left[number] == nil {
            #expect(try await timeline.schedule([push(number)]) == [.accepted])
        }
        let all = try await timeline.find(ids)
        #expect(all.allSatisfy { $0 != nil })
        for (old, new) in zip(left, all) where old == nil {
            #expect((new?.sequence ?? 0) > 1 << 40)
        }
        await timeline.close()
    }

    @Test("what an earlier repair has kept is never overwritten")
    func kept() async throws {
        let disk = try await disk(lanes: 1)
        for name in ["damaged-LAYOUT", "damaged-LAYOUT.2", "damaged-LAYOUT.3"] {
            disk.flip("LAYOUT", at: 50)
            _ = try repair(disk)
            #expect(try disk.names().contains(name))
        }
    }

    @Test("folders of a change of lanes that failed are removed at once, wherever it failed")
    func half() async throws {
        let whole = try await disk(lanes: 2)
        var failed = 0
        for operation in 0..<150 {
            let disk = whole.copy()
            disk.fail(at: disk.changes + operation, with: StorageError(.full, "no room"))
            do throws(TimelineError) {
                await (try open(disk, lanes: 3)).close()
            } catch {
                failed += 1
                let folders = try disk.names().filter { Layout.isLaneFolder($0) }
                if try Layout(on: disk)?.lanes == 2 { #expect(folders == ["lane-0", "lane-1"]) }
            }
            disk.heal()
            let timeline = try await open(disk)
            #expect(try await timeline.find(ids).allSatisfy { $0 != nil }, "at \(operation)")
            await timeline.close()
        }
        #expect(failed > 20)
    }
}
