import BelfryCore

/// Far pushes that wait in the journal: see ``Drafts``.
extension Lane {
    /// Whether a draft still counts: otherwise it has ended, was replaced, or has come near.
    @inline(__always)
    func counts(_ draft: Draft, _ number: UInt32) -> Bool {
        let slot = slots.pointer(draft.slot).pointee
        return slot.isDrafted && slot.ordinal == number && slot.isPending
    }

    /// What a slot names as its draft ends, or comes near.
    mutating func dropDraft(_ entry: Slot) {
        if drafts.index(of: entry.ordinal) != nil {
            drafts.drop(due: entry.due)
        } else {
            sorting?.drop(due: entry.due)
        }
    }

    /// When the first draft is due; earlier, if many have ended since somebody looked.
    mutating func nextDraft() -> Int64? {
        if drafts.wantsLook { drafts.found(earliest: earliest(in: drafts)) }
        if let list = sorting, sorted == nil, list.wantsLook {
            let due = earliest(in: list)
            sorting?.found(earliest: due)
        }
        let due = min(drafts.earliest, sorting?.earliest ?? .max)
        return due == .max ? nil : due
    }

    private func earliest(in drafts: Drafts) -> Int64 {
        var least = Int64.max
        for index in 0..<drafts.list.count {
            let draft = drafts.list[index]
            guard counts(draft, drafts.number(index)) else { continue }
            least = min(least, slots.pointer(draft.slot).pointee.due)
        }
        return least
    }

    // MARK: Coming near

    /// Reads back what has come near before a checkpoint has sorted it. One look serves for the time from ``JournalConfiguration/nearWindow`` to
    /// ``JournalConfiguration/farWindow``.
    mutating func loadDrafts(at moment: Moment) throws(TimelineError) {
        let near = moment.now + limits.nearWindow.milliseconds
        adoptWhatIsDue(at: moment)
        let far = moment.now + limits.farWindow.milliseconds
        if drafts.earliest <= near {
            try load(drafts, through: far)
            drafts.found(earliest: earliest(in: drafts))
        }
        if let list = sorting, list.earliest <= near {
            try load(list, through: far)
            let due = earliest(in: list)
            sorting?.found(earliest: due)
        }
    }

    private mutating func load(_ list: Drafts, through due: Int64) throws(TimelineError) {
        var reader = SegmentWindow()
        for index in 0..<list.list.count {
            let draft = list.list[index]
            guard counts(draft, list.number(index)), slots.pointer(draft.slot).pointee.due <= due
            else { continue }
            try load(draft, list.segment(of: index), &reader)
        }
    }

    /// Brings one draft into memory.
    mutating func load(draft entry: Slot) throws(TimelineError) {
        var reader = SegmentWindow(bytes: 4096)
        let (draft, segment) = try find(draft: entry)
        dropDraft(entry)
        try load(draft, segment, &reader)
    }

    private mutating func load(_ draft: Draft, _ segment: Int, _ reader: inout SegmentWindow)
        throws(TimelineError)
    {
        let entry = slots.pointer(draft.slot)
        let record = try record(of: draft, segment, isSorting(entry.pointee), &reader)
        let header = record.loadUnaligned(as: PushHeader.self)
        let number = near.take()
        var push = NearPush()
        push.due = header.due
        push.sequence = draft.sequence
        push.accepted = draft.accepted
        push.slot = draft.slot
        push.record = arena.keep(record, Int(header.length))
        push.priority = header.priority
        near.pointer(number).pointee = push
        entry.pointee.run = Slot.nowhere
        entry.pointee.ordinal = number
        markDirty(number)
        file(number)
    }

    /// What waits in the journal, shown without bringing it into memory.
    mutating func pending(drafted entry: Slot) throws(TimelineError) -> Pending {
        var reader = SegmentWindow(bytes: 4096)
        return try pending(drafted: entry, &reader)
    }

    mutating func pending(drafted entry: Slot, _ reader: inout SegmentWindow)
        throws(TimelineError) -> Pending
    {
        let (draft, segment) = try find(draft: entry)
        let record = try record(of: draft, segment, isSorting(entry), &reader)
        let length = Int(record.loadUnaligned(as: PushHeader.self).length)
        return Pending(
            push: push(UnsafeRawBufferPointer(start: record, count: length), due: entry.due),
            state: .scheduled,
            sequence: draft.sequence,
            attempt: 0,
            accepted: Timestamp(milliseconds: draft.accepted)
        )
    }

    // MARK: Checkpoints

    /// Hands over what a checkpoint is to sort; what comes from now on lies in the new segment.
    mutating func takeDrafts() -> Drafts {
        let taken = drafts
        sorting = taken
        drafts = Drafts(base: taken.end)
        drafts.begin(segment: journal.segment)
        return taken
    }

    /// Nothing was written: they wait in the journal as before.
    mutating func giveBackDrafts() {
        guard var taken = sorting else { return }
        taken.append(contentsOf: drafts)
        drafts = taken
        sorting = nil
    }

    func accounts(of drafts: Drafts) -> [UInt32] {
        (0..<drafts.list.count).map { index in
            let draft = drafts.list[index]
            return counts(draft, drafts.number(index))
                ? UInt32(slots.pointer(draft.slot).pointee.account) : CheckpointPlan.ended
        }
    }

    /// Points some slots away from the journal.
    mutating func adoptSorted() {
        guard let sorted, let sorting else { return }
        let end = min(sorted.next + 4 * limits.adoptedPushes, sorted.places.count)
        for index in sorted.next..<end {
            let place = sorted.places[index]
            let draft = sorting.list[index]
            if counts(draft, sorting.number(index)) {
                slots.pointer(draft.slot).pointee.run = place.run
                slots.pointer(draft.slot).pointee.ordinal = place.ordinal
            } else if place.run != Slot.nowhere {
                runs.kill(run: place.run, ordinal: place.ordinal)
            }
        }
        self.sorted?.next = end
        guard end == sorted.places.count else { return }
        for run in sorted.runs { runs.open(run: run) { _ in false } }
        if sorted.isNameless {
            nameless += sorting.segments.compactMap(\.file)
        } else {
            closeSegments(of: sorting)
        }
        self.sorting = nil
        self.sorted = nil
    }

    // MARK: Reading the journal

    private func isSorting(_ entry: Slot) -> Bool { drafts.index(of: entry.ordinal) == nil }

    private func find(draft entry: Slot) throws(TimelineError) -> (draft: Draft, segment: Int) {
        if let index = drafts.index(of: entry.ordinal) {
            return (drafts.list[index], drafts.segment(of: index))
        }
        guard let sorting, let index = sorting.index(of: entry.ordinal) else {
            throw TimelineError(.corrupt, "a pending push is neither in the journal nor in a run")
        }
        return (sorting.list[index], sorting.segment(of: index))
    }

    /// The packed record of a draft, to be used before the next call.
    private mutating func record(
        of draft: Draft,
        _ segment: Int,
        _ isSorting: Bool,
        _ reader: inout SegmentWindow
    ) throws(TimelineError) -> UnsafeRawPointer {
        let number = (isSorting ? sorting?.segments : drafts.segments)?[segment].number ?? 0
        if number == journal.segment, let record = journal.unwritten(at: Int(draft.offset)) {
            return record
        }
        let file = try open(segment, isSorting)
        guard
            let record = try reader.record(at: Int(draft.offset), of: file, number, on: disk),
            record.loadUnaligned(as: PushHeader.self).due == slots.pointer(draft.slot).pointee.due
        else {
            throw TimelineError(
                .corrupt,
                "\(FileFormat.journalName(number)), byte \(draft.offset): the record is damaged"
            )
        }
        return record
    }

    /// A segment's file, opened at its first use.
    private mutating func open(_ segment: Int, _ isSorting: Bool) throws(TimelineError) -> FileID {
        let list = isSorting ? sorting?.segments : drafts.segments
        guard let found = list?[segment] else { fatalError("the segment is gone") }
        if let file = found.file { return file }
        let disk = disk
        let file = try onDisk { () throws(StorageError) in
            try disk.open(FileFormat.journalName(found.number), .read)
        }
        if isSorting {
            sorting?.segments[segment].file = file
        } else {
            drafts.segments[segment].file = file
        }
        return file
    }

    /// Opens what drafts can still be read from although a checkpoint removes it.
    mutating func openSegments() throws(TimelineError) {
        for segment in drafts.segments.indices { _ = try open(segment, false) }
    }

    mutating func closeSegments(of drafts: Drafts) {
        for segment in drafts.segments {
            if let file = segment.file { disk.close(file) }
        }
    }
}

/// A part of a segment in memory, so that records which lie close together are read together.
struct SegmentWindow: ~Copyable {
    private var bytes: UnsafeMutableRawBufferPointer
    private var file = FileID(-1)
    private var start = 0
    private var count = 0

    init(bytes: Int = 128 << 10) {
        self.bytes = .allocate(byteCount: max(bytes, PushHeader.bytes), alignment: 16)
    }

    deinit { bytes.deallocate() }

    /// - Returns: `nil` if no whole record lies there. Good until the next call.
    mutating func record(
        at offset: Int,
        of file: FileID,
        _ segment: UInt64,
        on disk: some Storage
    ) throws(TimelineError) -> UnsafeRawPointer? {
        if let record = record(at: offset, of: file) { return record }
        try fill(from: offset, of: file, on: disk)
        if let record = record(at: offset, of: file) { return record }
        // Longer than the window, or cut off.
        guard count >= PushHeader.bytes else { return nil }
        let length = Int(bytes.loadUnaligned(as: PushHeader.self).length)
        guard length > bytes.count, length <= PushLimits.batchBytes else { return nil }
        bytes.deallocate()
        bytes = .allocate(byteCount: length, alignment: 16)
        try fill(from: offset, of: file, on: disk)
        return record(at: offset, of: file)
    }

    private func record(at offset: Int, of file: FileID) -> UnsafeRawPointer? {
        guard file == self.file, offset >= start, offset + PushHeader.bytes <= start + count else {
            return nil
        }
        return bytes.withMemoryRebound(to: UInt8.self) { buffer in
            let span = UnsafeBufferPointer(rebasing: buffer[..<count]).span
            guard PushRecord(span, at: offset - start) != nil else { return nil }
            return UnsafeRawPointer(buffer.baseAddress.map { $0 + (offset - start) })
        }
    }

    private mutating func fill(from offset: Int, of file: FileID, on disk: some Storage)
        throws(TimelineError)
    {
        count = 0
        let target = bytes
        count = try onDisk { () throws(StorageError) in
            try disk.read(file, at: offset, into: target)
        }
        self.file = file
        start = offset
    }
}

/// Where the drafts of a checkpoint lie now, while slots are being pointed at it.
struct SortedDrafts {
    var runs: [UInt32]
    var places: [RunPlace]
    /// The journal that they lay in has been removed.
    var isNameless: Bool
    var next = 0
}
