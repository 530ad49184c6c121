import BelfryCore

/// Copies everything that is pending from the lanes of a folder into another number of lanes, as runs: nothing of a push changes but the place.
///
/// The old folders stay in force until the new layout is written, so that a crash anywhere, or a full disk, leaves them as they were.
struct Spreading<Disk: Storage>: ~Copyable {
    private let layout: Layout
    private let blockBytes: Int
    private var targets: [SpreadTarget<Disk>] = []
    /// Above every acceptance number that was given.
    private var sequence: UInt64 = 1

    /// - Returns: the layout that is now in force.
    /// - Throws: `full` where there is not room for all pending pushes a second time; `corrupt`, `io`.
    static func spread(
        _ sources: [Disk],
        over lanes: Int,
        set: UInt32,
        in root: Disk,
        _ configuration: JournalConfiguration,
        at moment: Moment
    ) throws(TimelineError) -> Layout {
        guard let first = try Manifest(on: sources[0]) else {
            throw try Lane.missingManifest(sources[0])
        }
        let layout = Layout(lanes: lanes, set: set, key: first.key)
        do throws(TimelineError) {
            var spreading = try Spreading(layout, in: root, configuration)
            for source in sources { try spreading.take(source, configuration, at: moment) }
            try spreading.finish(in: root)
        } catch {
            removeHalf(layout, in: root)
            throw TimelineError(
                error.code,
                "\(error.message), while pending pushes were spread over \(lanes) lanes"
            )
        }
        return layout
    }

    /// What was copied would take room that may be what is missing. Only what is surely not in force goes; what cannot be removed now goes at the next
    /// opening.
    private static func removeHalf(_ layout: Layout, in root: Disk) {
        do throws(TimelineError) { if try Layout(on: root) == layout { return } } catch { return }
        for name in layout.folders { try? root.removeSubfolder(name) }
    }

    private init(_ layout: Layout, in root: Disk, _ configuration: JournalConfiguration)
        throws(TimelineError)
    {
        self.layout = layout
        blockBytes = configuration.blockBytes
        for name in layout.folders {
            let disk = try onDisk { () throws(StorageError) in
                try root.subfolder(name, making: true)
            }
            targets.append(SpreadTarget(disk: disk))
        }
    }

    /// A checkpoint puts all that is pending into runs; of these each live entry is copied.
    private mutating func take(
        _ disk: Disk,
        _ configuration: JournalConfiguration,
        at moment: Moment
    ) throws(TimelineError) {
        var lane = try Lane.open(disk, limits: configuration, at: moment, beginning: false)
        do throws(TimelineError) {
            try lane.checkpoint(at: moment)
            var copied = 0
            for run in lane.runs.runs { copied += try copy(run, from: disk) }
            guard copied == lane.pending else {
                throw TimelineError(
                    .corrupt,
                    "\(FileFormat.manifestName): \(lane.pending) pushes are pending, \(copied) were found"
                )
            }
            sequence = max(sequence, lane.sequence)
            lane.close()
        } catch {
            lane.close()
            throw error
        }
    }

    /// - Returns: how many pushes of the run count.
    private mutating func copy(_ run: Run, from disk: Disk) throws(TimelineError) -> Int {
        let name = FileFormat.runName(run.number)
        let file = try onDisk { () throws(StorageError) in try WholeFile(name, on: disk) }
        let reader = try RunReader(run.number, on: disk, expecting: run.size)
        defer { disk.close(reader.file) }
        var heads: [UInt32: PushHash] = [:]
        for merge in try reader.merges() { heads[merge.ordinal] = merge.hash }
        let identities = try reader.identities()
        for (index, block) in run.blocks.enumerated() where !run.isFinished(index) {
            guard let bytes = block.verified(in: file.bytes) else {
                throw TimelineError(.corrupt, "\(name), byte \(block.offset): the block is damaged")
            }
            var entry = bytes
            for ordinal in block.firstOrdinal..<block.firstOrdinal + block.count {
                let length = Int(entry.loadUnaligned(as: RunEntry.self).length)
                if !run.isDead(ordinal) {
                    let identity = identities.bytes.loadUnaligned(
                        fromByteOffset: Int(ordinal) * RunIdentity.bytes,
                        as: RunIdentity.self
                    )
                    add(entry, due: identity.due, UInt8(block.band), heads[ordinal])
                }
                entry += length
            }
        }
        var count = 0
        for number in targets.indices {
            count += try targets[number].writeRun(layout.key, blockBytes)
        }
        return count
    }

    private mutating func add(
        _ entry: UnsafeRawPointer,
        due: Int64,
        _ band: UInt8,
        _ head: PushHash?
    ) {
        let fixed = entry.loadUnaligned(as: RunEntry.self)
        let record = entry + RunEntry.bytes + fixed.groupBytes
        let lane = layout.key.lane(of: record, among: layout.lanes)
        targets[lane].add(fixed, record, due: due, band, head)
    }

    private func finish(in root: Disk) throws(TimelineError) {
        for (number, target) in targets.enumerated() {
            try target.finish(
                layout.key,
                sequence: sequence + UInt64(number),
                stride: UInt32(layout.lanes)
            )
        }
        let layout = layout
        try onDisk { () throws(StorageError) in
            try root.syncFolder()
            try layout.write(to: root)
        }
    }
}

extension RunBlock {
    /// Where the block's bytes lie in those of the whole file; `nil` if they are damaged.
    fileprivate func verified(in file: UnsafeRawBufferPointer) -> UnsafeRawPointer? {
        let start = Int(clamping: offset)
        guard start <= file.count, Int(length) <= file.count - start else { return nil }
        let bytes = UnsafeRawBufferPointer(rebasing: file[start..<start + Int(length)])
        return Checksum.crc(bytes) == crc ? bytes.baseAddress : nil
    }
}

/// A new lane, while pushes are copied into it.
struct SpreadTarget<Disk: Storage> {
    let disk: Disk
    private var accounts = Accounts()
    private var runs: [Manifest.Entry] = []
    private var drafts: [RunDraft] = []
    private var groups: [GroupDraft] = []

    init(disk: Disk) { self.disk = disk }

    /// Notes an entry, which must stay where it is until ``writeRun(_:_:)``.
    mutating func add(
        _ entry: RunEntry,
        _ record: UnsafeRawPointer,
        due: Int64,
        _ band: UInt8,
        _ head: PushHash?
    ) {
        let header = record.loadUnaligned(as: PushHeader.self)
        let account = UnsafeRawBufferPointer(
            start: record + PushHeader.bytes + Int(header.idLength),
            count: Int(header.accountLength)
        )
        var draft = RunDraft(
            origin: UInt32(drafts.count),
            record: record,
            due: due,
            sequence: entry.sequence,
            accepted: entry.accepted,
            attempt: entry.attempt,
            account: accounts.number(account),
            band: band
        )
        if entry.hasGroup {
            draft.group = UInt32(groups.count)
            groups.append(group(of: record, head))
        }
        drafts.append(draft)
    }

    /// The group's fixed part lies before the record, and what it collected behind.
    private func group(of record: UnsafeRawPointer, _ head: PushHash?) -> GroupDraft {
        let fixed = (record - RunGroup.bytes).loadUnaligned(as: RunGroup.self)
        var collected: [UnsafeRawBufferPointer] = []
        var next = record
        for _ in 0..<fixed.collected {
            next += Int(next.loadUnaligned(as: PushHeader.self).length)
            let length = Int(next.loadUnaligned(as: PushHeader.self).length)
            collected.append(UnsafeRawBufferPointer(start: next, count: length))
        }
        return GroupDraft(
            first: fixed.first,
            last: fixed.last,
            collected: collected,
            chunks: [],
            head: head
        )
    }

    /// Writes what was added. It is in the order of a run, because it comes from one.
    ///
    /// - Returns: how many pushes that were.
    mutating func writeRun(_ key: HashKey, _ blockBytes: Int) throws(TimelineError) -> Int {
        guard !drafts.isEmpty else { return 0 }
        let (disk, drafts, groups) = (disk, drafts, groups)
        let number = UInt32(runs.count + 1)
        let run = try onDisk { () throws(StorageError) in
            try RunWriter.write(
                drafts,
                in: drafts.map(\.origin),
                groups,
                number: number,
                key: key,
                to: disk,
                blockBytes: blockBytes
            )
        }
        disk.close(run.file)
        runs.append(
            Manifest.Entry(
                number: number,
                size: UInt64(run.size),
                count: UInt32(run.count),
                dead: run.dead
            )
        )
        self.drafts.removeAll(keepingCapacity: true)
        self.groups.removeAll(keepingCapacity: true)
        return run.count
    }

    func finish(_ key: HashKey, sequence: UInt64, stride: UInt32) throws(TimelineError) {
        var manifest = Manifest(key: key, sequence: sequence, stride: stride)
        manifest.nextRun = UInt32(runs.count + 1)
        manifest.accounts = accounts.names
        manifest.runs = runs
        try Lane.begin(manifest, on: disk)
    }
}
