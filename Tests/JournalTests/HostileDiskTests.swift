import BelfryCore
import BelfryJournal
import BelfrySimulation
import BelfryTestSupport
import Testing

@Suite("The journal on a hostile disk")
struct HostileDiskTests {
    private let clock = ManualClock()

    private func push(_ id: String, in seconds: Int64 = 60, bytes: Int = 20) -> Push {
        Push(
            id: PushID(id),
            recipient: Recipient(account: "a", person: "o"),
            due: clock.now() + .seconds(seconds),
            channel: "log",
            payload: Array(repeating: 7, count: bytes)
        )
    }

    private func open(
        _ disk: SimulatedDisk,
        _ configuration: JournalConfiguration = JournalConfiguration()
    ) async throws(TimelineError) -> JournalTimeline {
        try await JournalTimeline.open(disk: disk, configuration: configuration, clock: clock)
    }

    /// A disk with three acknowledged groups of one push each, and where each group ends.
    private func threeGroups() async throws -> (disk: SimulatedDisk, ends: [Int]) {
        let disk = SimulatedDisk()
        let timeline = try await open(disk)
        var ends: [Int] = []
        for id in ["a", "b", "c"] {
            _ = try await timeline.schedule([push(id)])
            ends.append(disk.size(of: segment))
        }
        try #require(ends[0] > 32 && ends[1] > ends[0] && ends[2] > ends[1])
        // As a process leaves it that was killed: nothing has been closed.
        let left = disk.copy()
        await timeline.close()
        return (left, ends)
    }

    /// The first one holds nothing: every opening begins a new one.
    private let segment = "journal-0000000000000002.log"

    @Test("a tail torn at any byte of the last record is cut off, and nothing else")
    func tornTail() async throws {
        let (whole, ends) = try await threeGroups()
        for size in ends[1]..<ends[2] {
            let disk = whole.copy()
            disk.cut(segment, to: size)
            let timeline = try await open(disk)
            let found = try await timeline.find(["a", "b", "c"]).map { $0 != nil }
            #expect(found == [true, true, false], "cut at \(size)")
            _ = try await timeline.schedule([push("d")])
            await timeline.close()
            let again = try await open(disk)
            #expect(try await again.find(["a", "b", "d"]).allSatisfy { $0 != nil })
            await again.close()
        }
    }

    @Test("a damaged byte anywhere before is reported with file and offset, never skipped")
    func damage() async throws {
        let (whole, ends) = try await threeGroups()
        for offset in 0..<ends[1] {
            let disk = whole.copy()
            disk.flip(segment, at: offset)
            let error = await #expect(throws: TimelineError.self) { _ = try await open(disk) }
            #expect(error?.code == .corrupt || (8..<12).contains(offset), "byte \(offset)")
            #expect(error?.message.contains(segment) == true, "byte \(offset)")
        }
    }

    @Test("in a segment that is not the last, even the last record may not be torn")
    func damageInOld() async throws {
        let (whole, ends) = try await threeGroups()
        await (try await open(whole)).close()
        for offset in ends[1]..<ends[2] {
            let disk = whole.copy()
            disk.flip(segment, at: offset)
            let error = await #expect(throws: TimelineError.self) { _ = try await open(disk) }
            #expect(error?.code == .corrupt)
            #expect(error?.message.contains("\(segment), byte \(ends[1])") == true)
        }
    }

    @Test(
        "a file of a newer format is refused as such, whatever kind it is",
        arguments: [("journal-", 1), ("MANIFEST", 1), ("NEWEST", 1), ("run-", 2)]
    )
    func newerFormat(name: String, known: Int) async throws {
        let disk = SimulatedDisk()
        var configuration = JournalConfiguration()
        configuration.checkpointBytes = 1
        let timeline = try await open(disk, configuration)
        _ = try await timeline.schedule([push("a", in: 3600)])
        await timeline.close()
        let name = try #require(try disk.names().last { $0.hasPrefix(name) })
        disk.edit(name) { bytes in
            bytes[8] = 9
            let crc = Self.crc(bytes[..<28])
            for index in 0..<4 { bytes[28 + index] = UInt8(truncatingIfNeeded: crc >> (8 * index)) }
        }
        let error = await #expect(throws: TimelineError.self) { _ = try await open(disk) }
        #expect(error?.code == .newerFormat)
        #expect(error?.message == "\(name) has format 9; this program reads up to \(known)")
        let report = try JournalDoctor.verify(disk)
        #expect(report.findings.map(\.kind) == [.newerFormat])
        #expect(report.findings.first?.file == name)
    }

    @Test("what somebody has put behind the end of a run keeps nothing from being read")
    func bytesBehindRun() async throws {
        let disk = SimulatedDisk()
        var configuration = JournalConfiguration()
        configuration.checkpointBytes = 1
        let timeline = try await open(disk, configuration)
        _ = try await timeline.schedule([push("a", in: 3600)])
        await timeline.close()
        let name = try #require(try disk.names().last { $0.hasPrefix("run-") })
        disk.edit(name) { $0.append(0x78) }
        let again = try await open(disk)
        #expect(try await again.find(["a"])[0] != nil)
        await again.close()
    }

    /// Bit by bit, so that it shares nothing with what it checks.
    static func crc(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        var crc = UInt32.max
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc >> 1 ^ (crc & 1 == 1 ? 0x82f6_3b78 : 0) }
        }
        return ~crc
    }

    @Test("a missing segment or manifest is reported")
    func missing() async throws {
        let (whole, _) = try await threeGroups()
        for name in [segment, "MANIFEST"] {
            let disk = whole.copy()
            disk.lose(name)
            let error = await #expect(throws: TimelineError.self) { _ = try await open(disk) }
            #expect(error?.code == .corrupt)
            #expect(error?.message.contains(name) == true)
        }
    }

    @Test("a second owner of a folder is refused, and the first goes on")
    func locked() async throws {
        let folder = TemporaryFolder()
        let first = try await JournalTimeline.open(folder: folder.path, clock: clock)
        let error = await #expect(throws: TimelineError.self) {
            _ = try await JournalTimeline.open(folder: folder.path, clock: clock)
        }
        #expect(error?.code == .locked)
        #expect(try await first.schedule([push("a")]) == [.accepted])
        await first.close()
        let second = try await JournalTimeline.open(folder: folder.path, clock: clock)
        #expect(try await second.find(["a"])[0] != nil)
        await second.close()
    }

    @Test("a folder that cannot be written to is an error at opening")
    func readOnly() async throws {
        // Nobody, root included, may make folders there.
        let error = await #expect(throws: TimelineError.self) {
            _ = try await JournalTimeline.open(folder: "/proc/belfry/data", clock: clock)
        }
        #expect(error?.code == .io)
    }

    @Test("calls after the end say so")
    func closed() async throws {
        let timeline = try await open(SimulatedDisk())
        await timeline.close()
        await timeline.close()
        let error = await #expect(throws: TimelineError.self) { _ = try await timeline.counts() }
        #expect(error?.code == .closed)
    }

    @Test("on a full disk scheduling is refused, while claims, settlements and cancels go on")
    func full() async throws {
        let disk = SimulatedDisk()
        var configuration = JournalConfiguration()
        configuration.headroomBytes = 100_000
        configuration.reserveStepBytes = 50_000
        let timeline = try await open(disk, configuration)
        _ = try await timeline.schedule((0..<100).map { push("now\($0)", in: 0) })
        disk.setCapacity(disk.used + 10_000)
        var accepted = 0
        var refusal: TimelineError?
        while refusal == nil {
            do throws(TimelineError) {
                _ = try await timeline.schedule([push("p\(accepted)", bytes: 5000)])
                accepted += 1
            } catch { refusal = error }
        }
        #expect(refusal?.code == .full)
        #expect(try await timeline.find([PushID("p\(accepted)")])[0] == nil)
        let claims = try await timeline.claim(limit: 100, lease: .seconds(30)).claims
        #expect(claims.count == 100)
        let settlements = claims.map { Settlement(token: $0.token, result: .done) }
        #expect(try await timeline.settle(settlements).allSatisfy { $0 == .settled })
        #expect(try await timeline.cancel(["p0"]) == [.cancelled])
        disk.setCapacity(.max)
        #expect(try await timeline.schedule([push("after")]) == [.accepted])
        await timeline.close()
        let again = try await open(disk)
        #expect(
            try await again.find(["p0", "now0", "after"]).map { $0 != nil } == [false, false, true]
        )
        #expect(try await again.counts().scheduled == accepted)
        await again.close()
    }

    @Test("a call that fails at the N-th disk operation leaves either all of it or nothing")
    func failEach() async throws {
        for kind in [StorageError(.other, "input/output error"), StorageError(.full, "no space")] {
            for number in 0..<40 {
                let disk = SimulatedDisk()
                disk.fail(at: number, with: kind)
                guard let timeline = try? await open(disk) else { continue }
                var known: Set<String> = []
                for step in 0..<6 {
                    let ids = ["x\(step)", "y\(step)"]
                    if let outcomes = try? await timeline.schedule(ids.map { push($0) }) {
                        #expect(outcomes == [.accepted, .accepted])
                        known.formUnion(ids)
                    } else {
                        let found = try await timeline.find(ids.map { PushID($0) })
                        #expect(found.allSatisfy { $0 == nil }, "failure at \(number)")
                    }
                }
                #expect(known.count >= 10, "one failure cost more than one call")
                #expect(try await timeline.counts().scheduled == known.count)
                await timeline.close()
                disk.fail(at: .max, with: kind)
                let again = try await open(disk)
                let found = try await again.find(known.map { PushID($0) })
                #expect(found.allSatisfy { $0 != nil }, "failure at \(number)")
                await again.close()
            }
        }
    }
}
