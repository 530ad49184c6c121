import BelfryCore

/// Reads what is whole of a damaged timeline into the files of a new one: its runs, a manifest, and the journal with only whole frames.
struct JournalSalvage<Disk: Storage, Work: Storage> {
    typealias Drop = (DroppedPiece) throws(TimelineError) -> Void

    var rebuilt = Rebuilt()
    let disk: Disk
    private let work: Work
    private let segments: [UInt64]
    private let runs: [UInt32]
    private var newest: NewestSegment?
    /// What is known of the old runs; `nil` if the manifest is lost.
    private var entries: [Manifest.Entry]?
    private var journalStart: UInt64
    /// Of the new folder.
    private var manifest: Manifest
    private var accounts: [String: UInt32] = [:]
    /// Without a manifest an ended version of a push may lie in one run beside the newest in another.
    private var versions: [PushHash: (sequence: UInt64, run: UInt32)] = [:]

    /// - Parameter beginning: what the manifest said when the lane was begun, for one that is lost.
    init(_ disk: Disk, _ work: Work, _ beginning: Manifest) throws(TimelineError) {
        self.disk = disk
        self.work = work
        let names = try onDisk { () throws(StorageError) in try disk.names() }
        segments = names.compactMap { FileFormat.journalNumber($0) }.sorted()
        runs = names.compactMap { FileFormat.runNumber($0) }.sorted()
        newest = try NewestSegment.read(from: disk)
        journalStart = segments.first ?? 1
        manifest = beginning
        rebuilt.old = names.filter { Rebuilt.isData($0) }
    }

    mutating func readManifest(_ drop: Drop) throws(TimelineError) {
        let name = FileFormat.manifestName
        let disk = disk
        // Numbers go on behind the old ones, so that old and new files can lie side by side.
        manifest.nextRun = (runs.last ?? 0) + 1
        let names = try onDisk { () throws(StorageError) in try disk.names() }
        guard names.contains(name) else {
            if rebuilt.old.isEmpty { return }
            return try lose(name, 0..<0, nil, "the file is missing", drop)
        }
        let file = try onDisk { () throws(StorageError) in try WholeFile(name, on: disk) }
        do throws(TimelineError) {
            let old = try Manifest(file.bytes)
            manifest.key = old.key
            manifest.sequence = old.sequence
            manifest.stride = old.stride
            manifest.nextRun = max(manifest.nextRun, old.nextRun)
            entries = old.runs
            journalStart = old.journalStart
        } catch {
            guard error.code == .corrupt else { throw error }
            try lose(name, 0..<file.bytes.count, file.bytes, error.message, drop)
        }
    }

    // MARK: Runs

    mutating func readRuns(_ drop: Drop) throws(TimelineError) {
        let disk = disk
        let wanted = entries?.map(\.number) ?? runs
        if entries == nil { try findVersions() }
        for (index, number) in wanted.enumerated() {
            let name = FileFormat.runName(number)
            let entry = entries?[index]
            guard runs.contains(number) else {
                try lose(name, 0..<Int(entry?.size ?? 0), nil, "the file is missing", drop)
                continue
            }
            if try readByBlocks(number, entry, drop) { continue }
            let file = try onDisk { () throws(StorageError) in try WholeFile(name, on: disk) }
            try read(number, entry, trimmed(file.bytes, entry), drop)
        }
    }

    private func trimmed(_ bytes: UnsafeRawBufferPointer, _ entry: Manifest.Entry?)
        -> UnsafeRawBufferPointer
    {
        UnsafeRawBufferPointer(rebasing: bytes[..<min(bytes.count, Int(entry?.size ?? .max >> 1))])
    }

    private mutating func findVersions() throws(TimelineError) {
        let disk = disk
        for number in runs {
            let name = FileFormat.runName(number)
            let file = try onDisk { () throws(StorageError) in try WholeFile(name, on: disk) }
            let salvage = try RunSalvage(file.bytes, number: number, key: manifest.key)
            for block in salvage.blocks where block.isSound {
                for entry in salvage.entries(in: block.range) ?? [] {
                    let hash = hash(entry.record)
                    // The same version in a later run was tried more often.
                    guard entry.fixed.sequence >= versions[hash]?.sequence ?? 0 else { continue }
                    versions[hash] = (entry.fixed.sequence, number)
                }
            }
        }
    }

    private mutating func read(
        _ number: UInt32,
        _ entry: Manifest.Entry?,
        _ bytes: UnsafeRawBufferPointer,
        _ drop: Drop
    ) throws(TimelineError) {
        let name = FileFormat.runName(number)
        let salvage = try RunSalvage(bytes, number: number, key: manifest.key)
        for lost in salvage.lost { try lose(name, lost.range, bytes, lost.reason, drop) }
        if let entry, Int(entry.size) > bytes.count {
            try lose(name, bytes.count..<Int(entry.size), nil, "the file ends too early", drop)
        }
        var drafts: [RunDraft] = []
        var groups: [GroupDraft] = []
        for block in salvage.blocks {
            let ordinals = block.firstOrdinal..<block.firstOrdinal &+ max(1, block.count)
            if let entry, ordinals.allSatisfy({ isDead($0, entry) }) { continue }
            guard block.isSound, let found = salvage.entries(in: block.range) else {
                try lose(name, block.range, bytes, "the block is damaged", drop)
                continue
            }
            for (index, pushed) in found.enumerated() {
                let ordinal = block.firstOrdinal + UInt32(index)
                if let entry, isDead(ordinal, entry) { continue }
                if entry == nil, isOld(pushed, number) { continue }
                let head = entry == nil ? nil : salvage.merges[ordinal]
                drafts.append(draft(pushed, due: salvage.due(pushed, ordinal), head, &groups))
            }
        }
        try write(drafts, groups)
    }

    func isDead(_ ordinal: UInt32, _ entry: Manifest.Entry) -> Bool {
        let word = Int(ordinal / 64)
        return word < entry.dead.count && entry.dead[word] >> UInt64(ordinal % 64) & 1 == 1
    }

    func isOld(_ entry: RunSalvage.Entry, _ run: UInt32) -> Bool {
        guard let newest = versions[hash(entry.record)] else { return false }
        return newest != (entry.fixed.sequence, run)
    }

    private func hash(_ record: UnsafeRawBufferPointer) -> PushHash {
        let header = record.loadUnaligned(as: PushHeader.self)
        let start = PushHeader.bytes
        return manifest.key.hash(
            UnsafeRawBufferPointer(rebasing: record[start..<start + Int(header.idLength)])
        )
    }

    mutating func draft(
        _ entry: RunSalvage.Entry,
        due: Int64,
        _ head: PushHash?,
        _ groups: inout [GroupDraft]
    ) -> RunDraft {
        let header = entry.record.loadUnaligned(as: PushHeader.self)
        guard let base = entry.record.baseAddress else { fatalError("an empty record") }
        manifest.sequence = max(
            manifest.sequence,
            entry.fixed.sequence + UInt64(manifest.stride)
        )
        var draft = RunDraft(
            origin: 0,
            record: base,
            due: due,
            sequence: entry.fixed.sequence,
            accepted: entry.fixed.accepted,
            attempt: entry.fixed.attempt,
            account: account(entry.record, header),
            band: header.priority
        )
        if let group = entry.group {
            draft.group = UInt32(groups.count)
            groups.append(
                GroupDraft(
                    first: group.first,
                    last: group.last,
                    collected: entry.collected,
                    chunks: [],
                    head: head
                )
            )
        }
        return draft
    }

    private mutating func account(_ record: UnsafeRawBufferPointer, _ header: PushHeader) -> UInt32
    {
        let start = PushHeader.bytes + Int(header.idLength)
        let name = String(
            decoding: record[start..<start + Int(header.accountLength)],
            as: UTF8.self
        )
        if let number = accounts[name] { return number }
        let number = UInt32(manifest.accounts.count)
        manifest.accounts.append(name)
        accounts[name] = number
        return number
    }

    mutating func write(_ drafts: [RunDraft], _ groups: [GroupDraft]) throws(TimelineError) {
        guard !drafts.isEmpty else { return }
        let number = manifest.nextRun
        manifest.nextRun += 1
        let key = manifest.key
        let work = work
        let run = try onDisk { () throws(StorageError) in
            try RunWriter.write(
                drafts,
                in: RunOrder.sorted(drafts),
                groups,
                number: number,
                key: key,
                to: work,
                blockBytes: JournalConfiguration().blockBytes
            )
        }
        work.close(run.file)
        manifest.runs.append(
            Manifest.Entry(
                number: number,
                size: UInt64(run.size),
                count: UInt32(run.count),
                dead: run.dead
            )
        )
    }

    /// Of the hashes.
    var key: HashKey { manifest.key }

    // MARK: Journal

    mutating func readSegments(_ drop: Drop) throws(TimelineError) {
        let disk = disk
        let last = max(segments.last ?? 0, newest?.number ?? 0, journalStart)
        // Behind every old one.
        manifest.journalStart = last + 1
        var next = manifest.journalStart
        for number in journalStart...last {
            let name = FileFormat.journalName(number)
            guard segments.contains(number) else {
                // Where there was nothing at all, nothing is missing.
                if rebuilt.old.isEmpty { continue }
                let length = newest?.number == number ? newest?.closedAt ?? 0 : 0
                try lose(name, 0..<length, nil, "the file is missing", drop)
                continue
            }
            let file = try onDisk { () throws(StorageError) in try WholeFile(name, on: disk) }
            let salvage = try SegmentSalvage(file.bytes, number: number)
            for lost in salvage.lost { try lose(name, lost.range, file.bytes, lost.reason, drop) }
            if newest?.number == number, let end = newest?.closedAt, end > file.bytes.count {
                try lose(name, file.bytes.count..<end, nil, "the file ends too early", drop)
            }
            try write(salvage.frames, of: file.bytes, to: next)
            next += 1
        }
        if next == manifest.journalStart {
            try write([], of: UnsafeRawBufferPointer(start: nil, count: 0), to: next)
        }
    }

    private func write(_ frames: [Range<Int>], of bytes: UnsafeRawBufferPointer, to number: UInt64)
        throws(TimelineError)
    {
        try onDisk { () throws(StorageError) in
            let file = try work.open(FileFormat.journalName(number), .create)
            defer { work.close(file) }
            try append(FileFormat.header(.journal, number: number), to: file, work)
            var rest = frames[...]
            while let first = rest.popFirst() {
                var piece = first
                while let next = rest.first, next.lowerBound == piece.upperBound {
                    piece = piece.lowerBound..<next.upperBound
                    rest.removeFirst()
                }
                try work.append(UnsafeRawBufferPointer(rebasing: bytes[piece]), to: file)
            }
            try work.sync(file)
        }
    }

    /// Writes the manifest that the lane then opens.
    func finish() throws(TimelineError) {
        try onDisk { () throws(StorageError) in try manifest.write(to: work) }
    }

    private mutating func lose(
        _ name: String,
        _ range: Range<Int>,
        _ bytes: UnsafeRawBufferPointer?,
        _ reason: String,
        _ drop: Drop
    ) throws(TimelineError) {
        rebuilt.damaged.insert(name)
        var start = range.lowerBound
        repeat {
            let end =
                bytes == nil ? range.upperBound : min(start + DroppedPiece.most, range.upperBound)
            rebuilt.pieces += 1
            rebuilt.bytes += end - start
            try drop(
                DroppedPiece(
                    file: name,
                    offset: start,
                    length: end - start,
                    reason: reason,
                    bytes: bytes.map { Array($0[start..<end]) } ?? []
                )
            )
            start = end
        } while start < range.upperBound
    }
}
