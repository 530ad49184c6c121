import BelfryCore
import BelfryJournal
import BelfrySimulation
import BelfryTestSupport
import Testing

@Suite("A folder that is opened with another number of lanes")
struct SpreadingTests {
    private let clock = ManualClock()
    private let ids = (0..<60).map { PushID("p\($0)") }

    private func open(_ disk: SimulatedDisk, _ lanes: Int?) async throws(TimelineError)
        -> JournalTimeline
    {
        var configuration = JournalConfiguration()
        configuration.lanes = lanes
        configuration.checkpointBytes = 8000
        configuration.farWindow = .minutes(2)
        configuration.nearWindow = .seconds(30)
        configuration.blockBytes = 700
        return try await JournalTimeline.open(
            root: disk,
            configuration: configuration,
            clock: clock
        )
    }

    private func push(_ number: Int, merge: MergeRule? = nil) -> Push {
        Push(
            id: ids[number],
            recipient: Recipient(account: "a\(number % 3)", person: "o\(number % 20)"),
            due: clock.now() + .seconds(Int64(number * number)),
            expires: clock.now() + .days(9),
            priority: Priority.allCases[number % 4],
            channel: "log",
            merge: merge,
            payload: Array("payload \(number)".utf8)
        )
    }

    /// Pushes near and far, some retried, some cancelled, some collected into groups.
    private func fill(_ timeline: JournalTimeline) async throws {
        for start in stride(from: 0, to: 60, by: 10) {
            try await timeline.schedule((start..<start + 10).map { push($0) })
        }
        let claims = try await timeline.claim(limit: 10, lease: .seconds(1)).claims
        let later = clock.now() + .minutes(9)
        _ = try await timeline.settle(
            claims.map { Settlement(token: $0.token, result: .retry(at: later)) }
        )
        _ = try await timeline.cancel(Array(ids[50..<55]))
        let rule = MergeRule(key: "k", grace: .minutes(5), maxWait: .hours(1), mode: .collect)
        for number in 0..<6 {
            var part = push(number % 2, merge: rule)
            part.id = PushID("merge\(number)")
            try await timeline.schedule([part])
        }
    }

    private var all: [PushID] { ids + (0..<6).map { PushID("merge\($0)") } }

    private func pending(_ timeline: JournalTimeline) async throws -> [Pending?] {
        try await timeline.find(all)
    }

    @Test("has everything that a push carries, whatever the numbers of lanes")
    func keepsAll() async throws {
        let disk = SimulatedDisk()
        let first = try await open(disk, 1)
        try await fill(first)
        let before = try await pending(first)
        let counts = try await first.counts()
        #expect(before.count { $0?.attempt == 1 } > 0 && counts.scheduled > 50)
        await first.close()
        for lanes in [3, 2, 4, 4, 1] {
            let timeline = try await open(disk, lanes)
            #expect(timeline.laneCount == lanes)
            #expect(try await pending(timeline) == before, "\(lanes) lanes")
            #expect(try await timeline.counts() == counts, "\(lanes) lanes")
            await timeline.close()
            let report = try JournalDoctor.verify(root: disk)
            #expect(report.isSound && report.findings.isEmpty)
            #expect(report.counts == counts)
        }
    }

    @Test("still merges into the groups that it had, and sends what they had collected")
    func merges() async throws {
        let disk = SimulatedDisk()
        let first = try await open(disk, 2)
        try await fill(first)
        await first.close()
        let second = try await open(disk, 3)
        let rule = MergeRule(key: "k", grace: .minutes(5), maxWait: .hours(1), mode: .collect)
        var more = push(0, merge: rule)
        more.id = "more"
        #expect(try await second.schedule([more]) == [.merged])
        _ = try await second.cancel(ids)
        clock.advance(by: .hours(2))
        let claims = try await second.claim(limit: 10, lease: .seconds(30)).claims
        #expect(claims.map(\.push.id).sorted { $0.text < $1.text } == ["merge0", "merge1"])
        #expect(claims.map(\.collected.count).sorted() == [2, 3])
        await second.close()
    }

    @Test("goes on in order: what is accepted later comes after what was there")
    func order() async throws {
        let disk = SimulatedDisk()
        var accepted: [PushID] = []
        let due = clock.now() + .hours(3)
        for (round, lanes) in [3, 1, 4, 2].enumerated() {
            let timeline = try await open(disk, lanes)
            for number in 0..<5 {
                var push = push(0)
                push.id = PushID("\(round)/\(number)")
                push.due = due
                try await timeline.schedule([push])
                accepted.append(push.id)
            }
            await timeline.close()
        }
        clock.set(due)
        let last = try await open(disk, nil)
        #expect(last.laneCount == 2)
        let claims = try await last.claim(limit: 100, lease: .seconds(30)).claims
        #expect(claims.map(\.push.id) == accepted)
        await last.close()
    }

    @Test("in the form of before there were lanes is taken over")
    func firstForm() async throws {
        for lanes in [1, 3, nil] {
            let disk = SimulatedDisk()
            let old = try await JournalTimeline.open(disk: disk, clock: clock)
            try await fill(old)
            let before = try await pending(old)
            await old.close()
            disk.edit("MANIFEST", Self.asBeforeLanes)
            let new = try await open(disk, lanes)
            #expect(new.laneCount == lanes ?? 1)
            #expect(try await pending(new) == before)
            await new.close()
            #expect(try disk.names().filter { $0.hasPrefix("journal-") || $0 == "MANIFEST" } == [])
        }
    }

    /// A manifest as programs without lanes wrote it: its last field, the stride of acceptance numbers, is missing.
    private static func asBeforeLanes(_ bytes: inout [UInt8]) {
        bytes.removeLast(4)
        let length = UInt64(bytes.count - 44)
        let crc = HostileDiskTests.crc(bytes[44...])
        for index in 0..<8 { bytes[32 + index] = UInt8(truncatingIfNeeded: length >> (8 * index)) }
        for index in 0..<4 { bytes[40 + index] = UInt8(truncatingIfNeeded: crc >> (8 * index)) }
    }

    @Test(
        "loses nothing when the power is cut at any disk operation on the way",
        arguments: [0, 2]
    )
    func powerCuts(lanes: Int) async throws {
        let whole = SimulatedDisk()
        let first =
            lanes == 0
            ? try await JournalTimeline.open(disk: whole, clock: clock)
            : try await open(whole, lanes)
        try await fill(first)
        let before = try await pending(first)
        await first.close()
        var operation = whole.changes
        var survived = false
        while !survived {
            let disk = whole.copy()
            disk.cutPower(at: operation)
            if let timeline = try? await open(disk, 3) {
                await timeline.close()
                survived = !disk.isOff
            }
            let left = disk.afterPowerCut(seed: UInt64(operation))
            let found = try await open(left, operation % 2 == 0 ? 3 : nil)
            #expect(try await pending(found) == before, "power cut at \(operation)")
            await found.close()
            operation += 1
        }
        #expect(operation > whole.changes + 30, "the way was too short to prove anything")
    }

    @Test("is left as it is when there is no room, and says what to do")
    func full() async throws {
        let disk = SimulatedDisk()
        let first = try await open(disk, 2)
        try await fill(first)
        let before = try await pending(first)
        await first.close()
        // Not even for what an opening gives back of the room set aside.
        disk.setCapacity(1)
        let error = await #expect(throws: TimelineError.self) { _ = try await open(disk, 3) }
        #expect(error?.code == .full)
        #expect(error?.message.contains("3 lanes") == true)
        disk.setCapacity(.max)
        let again = try await open(disk, nil)
        #expect(again.laneCount == 2)
        #expect(try await pending(again) == before)
        await again.close()
    }

    @Test("that was being begun when the power was cut is begun anew")
    func begun() async throws {
        var operation = 0
        while true {
            let disk = SimulatedDisk()
            disk.cutPower(at: operation)
            let first = try? await open(disk, 3)
            await first?.close()
            if first != nil, !disk.isOff { break }
            let left = disk.afterPowerCut(seed: UInt64(operation))
            let again = try await open(left, 2)
            try await fill(again)
            await again.close()
            operation += 1
        }
        #expect(operation > 20)
    }

    @Test("whose layout is damaged, missing or newer is refused, and so is one without a lane")
    func layout() async throws {
        let whole = SimulatedDisk()
        let first = try await open(whole, 2)
        try await fill(first)
        await first.close()
        await (try await open(whole, 2)).close()
        func error(_ change: (SimulatedDisk) throws -> Void) async throws -> TimelineError? {
            let disk = whole.copy()
            try change(disk)
            let report = try JournalDoctor.verify(root: disk)
            #expect(!report.isSound)
            return await #expect(throws: TimelineError.self) { _ = try await open(disk, 2) }
        }
        for offset in 0..<whole.size(of: "LAYOUT") {
            let found = try await error { $0.flip("LAYOUT", at: offset) }
            #expect(found?.code == .corrupt, "byte \(offset)")
            #expect(found?.message.contains("LAYOUT") == true)
        }
        #expect(try await error { $0.lose("LAYOUT") }?.code == .corrupt)
        let newer = try await error { disk in
            disk.edit("LAYOUT") { bytes in
                bytes[8] = 2
                let crc = HostileDiskTests.crc(bytes[..<28])
                for index in 0..<4 {
                    bytes[28 + index] = UInt8(truncatingIfNeeded: crc >> (8 * index))
                }
            }
        }
        #expect(newer?.code == .newerFormat)
        let missing = try await error { try $0.removeSubfolder("lane-1") }
        #expect(missing?.code == .corrupt && missing?.message.contains("lane-1") == true)
        let empty = try await error { disk in
            for name in try disk.subfolder("lane-1", making: false).names() {
                disk.lose("lane-1/\(name)")
            }
        }
        #expect(empty?.code == .corrupt && empty?.message.contains("lane-1/MANIFEST") == true)
    }

    @Test("a number of lanes that is not allowed is refused", arguments: [0, -1, 65])
    func refused(lanes: Int) async throws {
        let error = await #expect(throws: TimelineError.self) {
            _ = try await open(SimulatedDisk(), lanes)
        }
        #expect(error?.code == .invalid)
    }

    @Test("on a real disk: the folder is free again after closing, and old lanes are gone")
    func realDisk() async throws {
        let folder = TemporaryFolder()
        for lanes in [2, 3, 1] {
            var configuration = JournalConfiguration()
            configuration.lanes = lanes
            let timeline = try await JournalTimeline.open(
                folder: folder.path,
                configuration: configuration,
                clock: clock
            )
            try await timeline.schedule([push(59)])
            #expect(try await timeline.counts().scheduled == 1)
            let error = await #expect(throws: TimelineError.self) {
                _ = try await JournalTimeline.open(folder: folder.path, clock: clock)
            }
            #expect(error?.code == .locked)
            await timeline.close()
            #expect(folder.names.count { $0.hasPrefix("lane-") } == lanes)
            #expect(try JournalDoctor.verify(folder: folder.path).counts?.scheduled == 1)
        }
    }
}
