import BelfryCore
import BelfryJournal
import BelfrySimulation
import BelfryTestSupport
import Testing

@Suite("The doctor")
struct DoctorTests {
    private let clock = ManualClock()

    /// A disk with runs and a journal: 40 pushes in runs, 10 in the journal, 5 of each cancelled.
    ///
    /// - Parameter closed: cleanly; otherwise as a process leaves it that was killed.
    private func disk(closed: Bool = true) async throws -> SimulatedDisk {
        let disk = SimulatedDisk()
        var configuration = JournalConfiguration()
        configuration.checkpointBytes = 4000
        configuration.nearWindow = .zero
        configuration.blockBytes = 500
        let timeline = try await JournalTimeline.open(
            disk: disk,
            configuration: configuration,
            clock: clock
        )
        for number in 0..<40 { try await timeline.schedule([push("far\(number)")]) }
        await timeline.close()
        configuration.checkpointBytes = 1 << 30
        let again = try await JournalTimeline.open(
            disk: disk,
            configuration: configuration,
            clock: clock
        )
        try await again.schedule((0..<10).map { push("near\($0)") })
        _ = try await again.cancel((0..<5).flatMap { [PushID("far\($0)"), PushID("near\($0)")] })
        let left = disk.copy()
        await again.close()
        return closed ? disk : left
    }

    private func push(_ id: String) -> Push {
        Push(
            id: PushID(id),
            recipient: Recipient(account: "a", person: id),
            due: clock.now() + .days(3),
            channel: "log",
            payload: Array(repeating: 1, count: 100)
        )
    }

    @Test("finds a sound folder sound, counts what is pending, and changes nothing")
    func sound() async throws {
        let disk = try await disk()
        let before = disk.changes
        let report = try JournalDoctor.verify(disk)
        #expect(report.isSound && report.findings.isEmpty)
        #expect(report.counts == TimelineCounts(scheduled: 40, byAccount: ["a": 40]))
        #expect(report.files >= 3)
        #expect(disk.changes == before)
        #expect(try JournalDoctor.verify(SimulatedDisk()).counts == TimelineCounts())
    }

    @Test("names file and place of every flipped byte that matters")
    func damage() async throws {
        let whole = try await disk()
        for name in try whole.names() where name.hasPrefix("run-") {
            for offset in stride(from: 0, to: whole.size(of: name), by: 37) {
                let disk = whole.copy()
                disk.flip(name, at: offset)
                let report = try JournalDoctor.verify(disk)
                #expect(!report.isSound, "\(name), byte \(offset)")
                #expect(report.findings.allSatisfy { $0.file == name })
                #expect(report.counts == nil)
            }
        }
    }

    @Test("a torn tail is named, and is no damage")
    func tornTail() async throws {
        let disk = try await disk(closed: false)
        guard let name = try disk.names().last(where: { $0.hasPrefix("journal-") }) else { return }
        disk.cut(name, to: disk.size(of: name) - 3)
        let report = try JournalDoctor.verify(disk)
        #expect(report.isSound)
        #expect(report.findings.map(\.kind) == [.tornTail])
        #expect(report.counts?.scheduled == 50)
    }

    @Test("a folder in use, or none, is an error")
    func unavailable() async throws {
        let folder = TemporaryFolder()
        let timeline = try await JournalTimeline.open(folder: folder.path, clock: clock)
        let error = #expect(throws: TimelineError.self) {
            try JournalDoctor.verify(folder: folder.path)
        }
        #expect(error?.code == .locked)
        await timeline.close()
        #expect(try JournalDoctor.verify(folder: folder.path).isSound)
        #expect(throws: TimelineError.self) {
            try JournalDoctor.verify(folder: folder.path + "/none")
        }
    }
}
