import BelfryCore

/// The runs of one checkpoint, while they are being written.
struct CheckpointRuns<Disk: Storage>: ~Copyable {
    private let plan: CheckpointPlan
    private let disk: Disk
    private(set) var manifest: Manifest
    private(set) var near: [(run: Run, drafts: [RunDraft])] = []
    private(set) var sorted: [Run] = []
    private(set) var places: [RunPlace]

    init(_ plan: CheckpointPlan, on disk: Disk) {
        self.plan = plan
        self.disk = disk
        manifest = plan.manifest
        places = [RunPlace](repeating: RunPlace(), count: plan.drafts.list.count)
    }

    /// Writes what lies in memory.
    mutating func write(near drafts: [RunDraft]) throws(TimelineError) {
        for start in stride(from: 0, to: drafts.count, by: RunOrder.limit) {
            let part = Array(drafts[start..<min(start + RunOrder.limit, drafts.count)])
            let order = RunOrder.sorted(part)
            let run = try write(part, order)
            near.append((run, order.map { part[Int($0)] }))
        }
    }

    /// Sorts what lies in the journal, a slice at a time: that bounds the memory it takes.
    mutating func writeJournal() throws(TimelineError) {
        let segments = plan.drafts.segments
        for (index, segment) in segments.enumerated() {
            let end = index + 1 < segments.count ? segments[index + 1].first : places.count
            guard segment.first < end else { continue }
            var next = segment.first
            var slices = try JournalSlices(segment.number, bytes: plan.sliceBytes, on: disk)
            while next < end, let slice = try slices.next() {
                let start = next
                while next < end, Int(plan.drafts.list[next].offset) < slice.end { next += 1 }
                try write(start..<next, slice)
            }
            guard next == end else {
                throw TimelineError(
                    .corrupt,
                    "\(FileFormat.journalName(segment.number)): the file ends too early"
                )
            }
        }
    }

    /// Removes what was written in vain. A stray is removed at the next opening.
    mutating func remove() {
        for run in near.map(\.run) + sorted {
            disk.close(run.file)
            try? disk.remove(FileFormat.runName(run.number))
        }
    }

    private mutating func write(_ indices: Range<Int>, _ slice: JournalSlice)
        throws(TimelineError)
    {
        var classes = [[RunDraft]](repeating: [], count: Horizons.count)
        for index in indices where plan.accounts[index] != CheckpointPlan.ended {
            let draft = plan.drafts.list[index]
            let record = slice.pointer(at: Int(draft.offset))
            let header = record.loadUnaligned(as: PushHeader.self)
            classes[plan.horizons(header.due)].append(
                RunDraft(
                    origin: UInt32(index),
                    record: record,
                    due: header.due,
                    sequence: draft.sequence,
                    accepted: draft.accepted,
                    account: plan.accounts[index],
                    band: header.priority
                )
            )
        }
        for drafts in classes where !drafts.isEmpty {
            let order = RunOrder.sorted(drafts)
            let run = try write(drafts, order)
            sorted.append(run)
            for (ordinal, index) in order.enumerated() {
                places[Int(drafts[Int(index)].origin)] = RunPlace(
                    run: run.number,
                    ordinal: UInt32(ordinal)
                )
            }
        }
    }

    private mutating func write(_ drafts: [RunDraft], _ order: [UInt32]) throws(TimelineError)
        -> Run
    {
        let number = manifest.nextRun
        manifest.nextRun += 1
        let disk = disk
        let plan = plan
        let run = try onDisk { () throws(StorageError) in
            try RunWriter.write(
                drafts,
                in: order,
                plan.groups,
                number: number,
                key: plan.manifest.key,
                to: disk,
                blockBytes: plan.blockBytes
            )
        }
        manifest.runs.append(
            Manifest.Entry(
                number: number,
                size: UInt64(run.size),
                count: UInt32(run.count),
                dead: run.dead
            )
        )
        return run
    }
}
