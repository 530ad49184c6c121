import BelfryCore
import BelfryJournal
import BelfrySimulation
import Testing

@Suite("Repairing a damaged timeline")
struct RepairTests {
    @Test("damage anywhere in the journal costs exactly the records it lies in", arguments: 0..<120)
    func journal(seed: UInt64) async throws {
        var life = try await RepairedLife(seed: seed)
        let name = try life.pick("journal-")
        guard let hit = life.damage(name) else { return }
        let repaired = try life.repair()
        let expected = life.pending { $0.file == name && $0.range.overlaps(hit) }
        #expect(try await life.pending(in: repaired) == expected, "seed \(seed): \(name) \(hit)")
    }

    @Test("damage anywhere in a run costs at most the blocks it lies in", arguments: 0..<120)
    func run(seed: UInt64) async throws {
        var life = try await RepairedLife(seed: seed)
        let name = try life.pick("run-")
        let blocks = life.blocks(of: name)
        guard let hit = life.damage(name) else { return }
        let repaired = try life.repair()
        let all = life.pending { _ in false }
        let found = try await life.pending(in: repaired)
        #expect(found.allSatisfy { all[$0.key] == $0.value }, "seed \(seed): \(name) \(hit)")
        // A directory and the blocks it speaks of can be hit together.
        let isOne = hit.upperBound <= (blocks.last?.upperBound ?? 0) || hit.count == 1
        for (id, version) in all where found[id] == nil {
            let wasHit = blocks.contains {
                $0.overlaps(hit) && life.holds(id, version, in: name, $0)
            }
            #expect(wasHit || !isOne, "seed \(seed): \(id) was lost by \(name) \(hit)")
        }
    }

    @Test("a directory of a run that is gone, wholly or in part, costs no push", arguments: 0..<30)
    func directory(seed: UInt64) async throws {
        var life = try await RepairedLife(seed: seed)
        let name = try life.pick("run-")
        let blocks = life.blocks(of: name)
        let start = try #require(blocks.last?.upperBound)
        let skipped = seed % 2 == 0 ? 0 : 40 * (blocks.count / 2)
        life.disk.edit(name) { bytes in
            for index in start + skipped..<start + 40 * blocks.count { bytes[index] = 0 }
        }
        let found = try await life.pending(in: try life.repair())
        #expect(found == life.pending { _ in false }, "seed \(seed): \(name)")
    }

    @Test("a lost or damaged manifest costs no push", arguments: 0..<30)
    func manifest(seed: UInt64) async throws {
        var life = try await RepairedLife(seed: seed)
        if seed % 2 == 0 { life.disk.lose("MANIFEST") } else { _ = life.damage("MANIFEST") }
        let found = try await life.pending(in: try life.repair())
        for (id, version) in life.pending(without: { _ in false }) {
            #expect(found[id] == version, "seed \(seed): \(id)")
        }
    }

    @Test("a run or a segment that is gone costs what was in it, and nothing else")
    func missing() async throws {
        for seed in UInt64(0)..<10 {
            for kind in ["run-", "journal-"] {
                var life = try await RepairedLife(seed: seed)
                let name = try life.pick(kind)
                let blocks = life.blocks(of: name)
                let all = life.pending { kind == "journal-" && $0.file == name }
                let lost = all.filter { id, version in
                    blocks.contains { life.holds(id, version, in: name, $0) }
                }
                life.disk.lose(name)
                let found = try await life.pending(in: try life.repair())
                #expect(found == all.filter { lost[$0.key] == nil }, "seed \(seed): \(name)")
            }
        }
    }

    @Test("a sound timeline needs none, and nothing is written")
    func needless() async throws {
        let life = try await RepairedLife(seed: 1)
        let before = life.disk.changes
        let rebuilt = try JournalRepair.rebuild(
            from: life.disk,
            in: SimulatedDisk(),
            at: life.now
        ) { _ in Issue.record("something was dropped") }
        #expect(rebuilt.isNeedless && life.disk.changes == before)
    }

    @Test("a power cut anywhere in a repair leaves what can be repaired again")
    func powerCut() async throws {
        var life = try await RepairedLife(seed: 3)
        let name = try life.pick("journal-")
        let damaged = life.damage(name)
        let hit = try #require(damaged)
        let expected = life.pending { $0.file == name && $0.range.overlaps(hit) }
        let whole = life.disk
        var isThrough = false
        var cut = 0
        while !isThrough {
            life.disk = whole.copy()
            life.disk.cutPower(at: life.disk.changes + cut)
            do throws(TimelineError) {
                _ = try life.repair()
                isThrough = true
            } catch { #expect(life.disk.isOff, "\(error)") }
            life.disk = life.disk.afterPowerCut(seed: UInt64(cut))
            let again = try life.repair()
            #expect(try await life.pending(in: again) == expected, "cut at \(cut)")
            cut += 1
        }
        #expect(cut > 10)
    }

    @Test("a newer format is refused, not taken for damage")
    func newer() async throws {
        for kind in ["run-", "journal-", "MANIFEST", "NEWEST"] {
            var life = try await RepairedLife(seed: 4)
            let name = try life.pick(kind)
            life.disk.edit(name) { bytes in
                bytes[8] = 9
                let crc = Self.crc(bytes[..<28])
                for index in 0..<4 {
                    bytes[28 + index] = UInt8(truncatingIfNeeded: crc >> (8 * index))
                }
            }
            let error = #expect(throws: TimelineError.self) { _ = try life.repair() }
            #expect(error?.code == .newerFormat, "\(name)")
        }
    }

    private static func crc(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        var crc = UInt32.max
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc >> 1 ^ (crc & 1 == 1 ? 0x82f6_3b78 : 0) }
        }
        return ~crc
    }
}

/// A timeline with runs and a journal whose every record is known by what it did and where it lies, to be damaged and repaired.
private struct RepairedLife {
    struct Act {
        enum What {
            case scheduled(Int)
            case ended
        }
        var id: String
        var what: What
        /// Where the record of it lies.
        var file: String
        var range: Range<Int>
    }

    var disk = SimulatedDisk()
    private let clock = ManualClock()
    private var random: SplitMix64
    private var acts: [Act] = []
    private var version = 0

    var now: Timestamp { clock.now() }

    init(seed: UInt64) async throws {
        random = SplitMix64(seed: seed)
        var configuration = JournalConfiguration()
        configuration.nearWindow = .zero
        configuration.blockBytes = 500
        // The first life ends in runs, the others mostly in the journal.
        for (bytes, steps) in [(3000, 60), (1 << 30, 25), (1 << 30, 15)] {
            configuration.checkpointBytes = bytes
            let timeline = try await JournalTimeline.open(
                disk: disk,
                configuration: configuration,
                clock: clock
            )
            for _ in 0..<steps { try await act(on: timeline) }
            await timeline.close()
        }
        for name in try disk.names() where name.hasPrefix("run-") { whole[name] = bytes(of: name) }
    }

    private mutating func act(on timeline: JournalTimeline) async throws {
        let id = "p\(Int.random(in: 0..<40, using: &random))."
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<7:
            version += 1
            let push = Push(
                id: PushID(id),
                recipient: Recipient(account: "account\(version % 3)", person: "o"),
                due: clock.now() + .seconds(Int64.random(in: 1...400_000, using: &random)),
                channel: "log",
                payload: Array("v\(version).".utf8)
                    + Array(repeating: 32, count: Int.random(in: 0..<80, using: &random))
            )
            try await note(id, .scheduled(version), timeline) {
                _ = try await timeline.schedule([push])
            }
        case 7:
            guard try await timeline.find([PushID(id)])[0] != nil else { return }
            try await note(id, .ended, timeline) { _ = try await timeline.cancel([PushID(id)]) }
        default:
            clock.advance(by: .seconds(20_000))
            for claim in try await timeline.claim(limit: 2, lease: .seconds(60)).claims {
                try await note(claim.push.id.text, .ended, timeline) {
                    _ = try await timeline.settle([Settlement(token: claim.token, result: .done)])
                }
            }
        }
    }

    private mutating func note(
        _ id: String,
        _ what: Act.What,
        _ timeline: JournalTimeline,
        _ work: () async throws -> Void
    ) async throws {
        let before = try segments()
        try await work()
        // The segment in which it lies is the one that grew, unless a checkpoint has taken it away since.
        let grown = try segments().first { name, size in size > before[name] ?? 32 }
        let file = grown?.key ?? ""
        let start = before[file] ?? 32
        acts.append(Act(id: id, what: what, file: file, range: start..<(grown?.value ?? 32)))
    }

    private func segments() throws -> [String: Int] {
        var sizes: [String: Int] = [:]
        for name in try disk.names() where name.hasPrefix("journal-") {
            sizes[name] = disk.size(of: name)
        }
        return sizes
    }

    /// A file of a kind that holds something.
    mutating func pick(_ prefix: String) throws -> String {
        let names = try disk.names().filter { $0.hasPrefix(prefix) && disk.size(of: $0) > 32 }
        return try #require(names.randomElement(using: &random))
    }

    /// Damages a file somewhere.
    ///
    /// - Returns: which bytes are other than they were; `nil` if none are.
    mutating func damage(_ name: String) -> Range<Int>? {
        let size = disk.size(of: name)
        let start = Int.random(in: 0..<size, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0, 1:
            disk.flip(name, at: start)
            return start..<start + 1
        case 2:
            let end = min(size, start + Int.random(in: 1...200, using: &random))
            disk.edit(name) { bytes in for index in start..<end { bytes[index] ^= 0xff } }
            return start..<end
        default:
            disk.cut(name, to: start)
            return start..<size
        }
    }

    /// Repairs the disk; a file of dropped pieces is what the caller makes of them.
    func repair() throws(TimelineError) -> SimulatedDisk {
        let work = SimulatedDisk()
        let rebuilt = try JournalRepair.rebuild(from: disk, in: work, at: now) { piece in
            if piece.bytes.count > piece.length { Issue.record("more than a piece") }
        }
        if !rebuilt.isNeedless { try rebuilt.commit(from: work, to: disk) }
        return disk
    }

    /// What is pending by the records that still count: the version of each push.
    func pending(without isLost: (Act) -> Bool) -> [String: Int] {
        var pending: [String: Int] = [:]
        for act in acts where !isLost(act) {
            switch act.what {
            case .scheduled(let version): pending[act.id] = version
            case .ended: pending[act.id] = nil
            }
        }
        return pending
    }

    /// What a timeline finds after an ordinary opening.
    func pending(in disk: SimulatedDisk) async throws -> [String: Int] {
        #expect(try JournalDoctor.verify(disk).isSound)
        let timeline = try await JournalTimeline.open(disk: disk, clock: clock)
        let ids = Set(acts.map(\.id)).sorted()
        var pending: [String: Int] = [:]
        for (id, found) in zip(ids, try await timeline.find(ids.map { PushID($0) })) {
            guard let found else { continue }
            let text = String(decoding: found.push.payload.prefix { $0 != 46 }, as: UTF8.self)
            pending[id] = Int(text.dropFirst())
        }
        let counts = try await timeline.counts()
        #expect(counts.scheduled == pending.count)
        await timeline.close()
        return pending
    }

    /// Where the blocks of a run lie, by its directory.
    func blocks(of name: String) -> [Range<Int>] {
        guard name.hasPrefix("run-") else { return [] }
        let bytes = bytes(of: name)
        func number(_ offset: Int, _ count: Int) -> Int {
            (0..<count).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
        }
        let footer = bytes.count - 64
        let directory = number(footer, 8)
        return (0..<number(footer + 24, 4)).map {
            let start = number(directory + 40 * $0, 8)
            return start..<start + number(directory + 40 * $0 + 16, 4)
        }
    }

    /// Whether a version of a push lies in a block, as the text that it is.
    func holds(_ id: String, _ version: Int, in name: String, _ block: Range<Int>) -> Bool {
        let bytes = whole[name] ?? bytes(of: name)
        let part = String(decoding: bytes[block], as: UTF8.self)
        return part.contains("\(id)account\(version % 3)olog" + "v\(version).")
    }

    /// Runs as they were before they were damaged.
    private var whole: [String: [UInt8]] = [:]

    private func bytes(of name: String) -> [UInt8] {
        var found: [UInt8] = []
        disk.copy().edit(name) { found = $0 }
        return found
    }
}
