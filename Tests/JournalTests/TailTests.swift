import BelfryCore
import BelfryJournal
import BelfrySimulation
import Testing

@Suite("The end of the journal")
struct TailTests {
    private let clock = ManualClock()

    private func open(_ disk: SimulatedDisk) async throws(TimelineError) -> JournalTimeline {
        try await JournalTimeline.open(disk: disk, clock: clock)
    }

    private func push(_ id: String) -> Push {
        Push(
            id: PushID(id),
            recipient: Recipient(account: "a", person: "o"),
            due: clock.now() + .seconds(60),
            channel: "log",
            payload: Array("payload".utf8)
        )
    }

    /// Three pushes in three groups: as a killed process leaves it, after a clean close, and where the last group begins.
    private func threeGroups() async throws -> (
        killed: SimulatedDisk, closed: SimulatedDisk, last: Int
    ) {
        let disk = SimulatedDisk()
        let timeline = try await open(disk)
        var last = 0
        for id in ["a", "b", "c"] {
            last = disk.size(of: segment)
            _ = try await timeline.schedule([push(id)])
        }
        let killed = disk.copy()
        await timeline.close()
        return (killed, disk, last)
    }

    /// The first one holds nothing: every opening begins a new one.
    private let segment = "journal-0000000000000002.log"

    private func refusal(_ disk: SimulatedDisk) async -> TimelineError? {
        do throws(TimelineError) {
            await (try await open(disk)).close()
            return nil
        } catch { return error }
    }

    @Test("after a clean close a flipped byte in the very last record is damage")
    func flippedAfterClose() async throws {
        let (_, whole, last) = try await threeGroups()
        for offset in last..<whole.size(of: segment) {
            let disk = whole.copy()
            disk.flip(segment, at: offset)
            let error = await refusal(disk)
            #expect(error?.code == .corrupt, "byte \(offset)")
            #expect(error?.message.contains("\(segment), byte \(last)") == true)
            #expect(try !JournalDoctor.verify(disk).isSound)
        }
    }

    @Test("after a clean close a last segment that is shorter or longer is damage")
    func cutAfterClose() async throws {
        let (_, whole, last) = try await threeGroups()
        for size in [0, 1, 32, last, whole.size(of: segment) - 1] {
            let disk = whole.copy()
            disk.cut(segment, to: size)
            #expect(await refusal(disk)?.code == .corrupt, "cut to \(size)")
        }
        let disk = whole.copy()
        disk.edit(segment) { $0.append(0) }
        #expect(await refusal(disk)?.code == .corrupt)
    }

    @Test("a last segment that was emptied, zeroed or deleted is damage, after a kill too")
    func emptied() async throws {
        let (killed, closed, _) = try await threeGroups()
        for whole in [killed, closed] {
            try #require(whole.size(of: segment) > 32)
            let emptied = whole.copy()
            emptied.cut(segment, to: 0)
            #expect(await refusal(emptied)?.code == .corrupt)
            let zeroed = whole.copy()
            zeroed.edit(segment) { bytes in for index in bytes.indices { bytes[index] = 0 } }
            #expect(await refusal(zeroed)?.code == .corrupt)
        }
        // A later segment, which the manifest does not speak of.
        let timeline = try await open(closed)
        _ = try await timeline.schedule([push("d")])
        let again = closed.copy()
        await timeline.close()
        for whole in [again, closed] {
            let disk = whole.copy()
            disk.lose("journal-0000000000000003.log")
            let error = await refusal(disk)
            #expect(error?.code == .corrupt)
            #expect(error?.message.contains("journal-0000000000000003.log") == true)
            #expect(try !JournalDoctor.verify(disk).isSound)
        }
    }

    @Test("what is cut off after a kill is put aside first, and told")
    func putAside() async throws {
        let (whole, _, last) = try await threeGroups()
        let size = whole.size(of: segment)
        let disk = whole.copy()
        disk.flip(segment, at: size - 1)
        let timeline = try await open(disk)
        let name = "dropped-0000000000000002-\(last).bin"
        let dropped = try #require(timeline.dropped.first)
        #expect(timeline.dropped.count == 1 && dropped.file == segment && dropped.keptAs == name)
        #expect(dropped.offset == last && dropped.bytes == size - last)
        #expect(disk.size(of: name) == size - last)
        #expect(try await timeline.find(["a", "b", "c"]).map { $0 != nil } == [true, true, false])
        await timeline.close()
        let again = try await open(disk)
        #expect(again.dropped.isEmpty)
        await again.close()
    }

    @Test("of what was put aside only the newest is kept")
    func bounded() async throws {
        let disk = SimulatedDisk()
        var current = disk
        for round in 0..<12 {
            let timeline = try await open(current)
            _ = try await timeline.schedule([push("p\(round)")])
            let killed = current.copy()
            await timeline.close()
            let newest = try #require(try killed.names().last { $0.hasPrefix("journal-") })
            killed.edit(newest) { $0 += [1, 2, 3] }
            current = killed
        }
        let kept = try current.names().filter { $0.hasPrefix("dropped-") }
        #expect(kept.count == DroppedTail.keptFiles)
        #expect(kept.last?.hasPrefix("dropped-000000000000000c-") == true)
    }

    @Test("a damaged note about the newest segment keeps nothing from opening")
    func damagedNote() async throws {
        let (_, disk, _) = try await threeGroups()
        disk.flip("NEWEST", at: 33)
        #expect(try JournalDoctor.verify(disk).findings.map(\.kind) == [.uncertain])
        #expect(await refusal(disk) == nil)
        #expect(try JournalDoctor.verify(disk).findings.isEmpty)
    }
}
