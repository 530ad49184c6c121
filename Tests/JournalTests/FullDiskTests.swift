import BelfryCore
import BelfryJournal
import BelfrySimulation
import BelfryTestSupport
import Testing

@Suite(
    "A timeline on a real disk that runs full",
    .enabled(
        if: SmallDisk.isPossible,
        "this machine lets the tests mount no file system; the simulated disk runs full in HostileDiskTests"
    )
)
struct FullDiskTests {
    private let clock = ManualClock()

    private func push(_ id: String, in seconds: Int64, bytes: Int = 20_000) -> Push {
        Push(
            id: PushID(id),
            recipient: Recipient(account: "a", person: id),
            due: clock.now() + .seconds(seconds),
            channel: "log",
            payload: Array(repeating: 7, count: bytes)
        )
    }

    @Test(
        "refuses new pushes, goes on with what it has, loses nothing, and accepts again when there is room"
    )
    func full() async throws {
        let disk = try #require(SmallDisk(bytes: 8 << 20))
        let folder = disk.path + "/timeline"
        var configuration = JournalConfiguration()
        configuration.headroomBytes = 1 << 20
        configuration.reserveStepBytes = 1 << 20
        let timeline = try await JournalTimeline.open(
            folder: folder,
            configuration: configuration,
            clock: clock
        )
        _ = try await timeline.schedule((0..<40).map { push("due\($0)", in: 0) })
        _ = try await timeline.schedule((0..<40).map { push("later\($0)", in: 3600) })
        disk.fill()
        var accepted: [String] = []
        var refusal: TimelineError?
        while refusal == nil {
            let id = "p\(accepted.count)"
            do throws(TimelineError) {
                _ = try await timeline.schedule([push(id, in: 3600)])
                accepted.append(id)
            } catch { refusal = error }
        }
        #expect(refusal?.code == .full)
        #expect(refusal?.message.lowercased().contains("no space") == true, "\(refusal as Any)")
        // Far more ends than there are pushes would fit into what was kept for them.
        let claims = try await timeline.claim(limit: 100, lease: .seconds(30)).claims
        #expect(claims.count == 40)
        let settled = try await timeline.settle(
            claims.map { Settlement(token: $0.token, result: .done) }
        )
        #expect(settled.allSatisfy { $0 == .settled })
        let cancelled = try await timeline.cancel((0..<40).map { PushID("later\($0)") })
        #expect(cancelled.allSatisfy { $0 == .cancelled })
        await timeline.close()

        // Full as it is, it opens.
        let again = try await JournalTimeline.open(
            folder: folder,
            configuration: configuration,
            clock: clock
        )
        #expect(try await again.counts().scheduled == accepted.count)
        disk.empty()
        _ = try await again.schedule([push("room", in: 60)])
        let found = try await again.find((accepted + ["room"]).map { PushID($0) })
        #expect(found.allSatisfy { $0 != nil })
        await again.close()
        #expect(try JournalDoctor.verify(folder: folder).isSound)
    }

    @Test("a copy for which there is no room is refused, and the timeline goes on")
    func copy() async throws {
        let disk = try #require(SmallDisk(bytes: 8 << 20))
        let folder = TemporaryFolder()
        let timeline = try await JournalTimeline.open(folder: folder.path, clock: clock)
        for round in 0..<5 {
            _ = try await timeline.schedule((0..<100).map { push("p\(round).\($0)", in: 60) })
        }
        let error = await #expect(throws: TimelineError.self) {
            try await timeline.copy(into: disk.path + "/copy")
        }
        #expect(error?.code == .full)
        _ = try await timeline.schedule([push("after", in: 60)])
        #expect(try await timeline.counts().scheduled == 501)
        await timeline.close()
    }
}
