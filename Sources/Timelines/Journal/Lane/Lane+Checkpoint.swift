import BelfryCore

extension Lane {
    var wantsCheckpoint: Bool {
        guard !checkpointing && !isAdopting else { return false }
        return journalled >= limits.checkpointBytes
            || journalled >= limits.checkpointBytes / 4 && isMostlySpent
    }

    /// What has ended takes so much of the journal that the disk would hold much more than what is pending, and more than what is in memory: much of
    /// that will have ended soon, too, and need never be written again. An estimate, by what a push takes on the average.
    private var isMostlySpent: Bool {
        let each = scheduled.bytes / max(1, scheduled.count)
        let needed = max(0, pending - runs.live) * each
        let spent = journalled - needed
        return spent * 8 > pending * each && spent > near.count * each
    }

    /// Fixes the state of this moment, and begins a new journal segment for what comes after it. Everything decided so far must have been handed
    /// over (``takeGroup()``).
    ///
    /// Takes a few milliseconds for a full journal; the writing itself may go on beside the lane.
    ///
    /// - Throws: `full` or `io`; the journal simply goes on then.
    mutating func beginCheckpoint(at moment: Moment) throws(TimelineError) -> CheckpointPlan {
        precondition(
            !checkpointing && !isAdopting && !hasFrames,
            "a checkpoint at the wrong moment"
        )
        // Whatever comes of it, the next attempt is as far away as a success would put it.
        journalled = 0
        try rewriteMostlyDead(at: moment)
        try openSegments()
        let old = journal
        try beginSegment(old.segment + 1, needsRoom: true)
        checkpointing = true
        let journalDrafts = takeDrafts()
        let finished = runs.takeFinished()
        let horizons = Horizons(at: moment.now)
        var groups: [GroupDraft] = []
        var plan = CheckpointPlan(
            classes: draft(horizons, &groups),
            groups: groups,
            drafts: journalDrafts,
            accounts: accounts(of: journalDrafts),
            horizons: horizons,
            manifest: manifest(),
            blockBytes: limits.blockBytes,
            sliceBytes: limits.sliceBytes,
            obsolete: finished.map { FileFormat.runName($0.number) },
            finished: finished.map(\.file),
            punches: []
        )
        for number in firstSegment...old.segment {
            plan.obsolete.append(FileFormat.journalName(number))
        }
        for run in runs.runs {
            for block in run.finishedBlocks {
                let start = Int(run.blocks[block].offset)
                let range = start..<start + Int(run.blocks[block].length)
                plan.punches.append((run.number, block, run.file, range))
            }
        }
        return plan
    }

    /// Takes note of what a checkpoint has written: far payloads leave memory.
    mutating func endCheckpoint(_ result: CheckpointResult, at moment: Moment) {
        checkpointing = false
        if result.error != nil {
            for drafts in result.plan.classes { takeBack(drafts, result.plan.groups) }
            giveBackDrafts()
            return
        }
        firstSegment = result.plan.manifest.journalStart
        for punch in result.plan.punches { runs.markPunched(run: punch.run, block: punch.block) }
        for run in result.near.map(\.run) + result.sorted {
            nextRun = max(nextRun, run.number + 1)
            runs.add(run)
        }
        for (run, drafts) in result.near {
            adoptions.append(
                Adoption(
                    run: run.number,
                    drafts: drafts,
                    groups: result.plan.groups,
                    evicted: run.blocks.map { _ in false }
                )
            )
        }
        sorted = SortedDrafts(
            runs: result.sorted.map(\.number),
            places: result.places,
            isNameless: !result.plan.obsolete.isEmpty
        )
        nameless += result.plan.finished
    }

    /// A checkpoint from beginning to end, on the lane's own thread.
    mutating func checkpoint(at moment: Moment) throws(TimelineError) {
        try onDisk { () throws(StorageError) in try flush() }
        let plan = try beginCheckpoint(at: moment)
        let result = plan.write(to: disk)
        endCheckpoint(result, at: moment)
        while isAdopting { adoptSome(at: moment) }
        closeRetired()
        for file in takeNameless() { disk.close(file) }
        if let error = result.error { throw error }
    }

    private func manifest() -> Manifest {
        var manifest = Manifest(key: key)
        manifest.sequence = sequence
        manifest.stride = UInt32(stride)
        manifest.journalStart = journal.segment
        manifest.nextRun = nextRun
        manifest.accounts = accounts.names
        manifest.runs = runs.runs.map {
            Manifest.Entry(
                number: $0.number,
                size: UInt64($0.size),
                count: UInt32($0.count),
                dead: $0.dead
            )
        }
        return manifest
    }

    // MARK: Drafts

    /// Everything in memory that only the journal holds, by horizon class.
    private mutating func draft(_ horizons: Horizons, _ groups: inout [GroupDraft])
        -> [[RunDraft]]
    {
        var classes = [[RunDraft]](repeating: [], count: Horizons.count)
        for number in dirty {
            let push = near.pointer(number)
            guard push.pointee.isDirty else { continue }
            push.pointee.isDirty = false
            // What was cancelled or overtaken while in flight has ended, as far as the disk is concerned.
            if push.pointee.state == .free || isSuperseded(number) { continue }
            push.pointee.isDrafted = true
            classes[horizons(push.pointee.due)].append(draft(number, &groups))
        }
        dirty.removeAll(keepingCapacity: true)
        return classes
    }

    private mutating func draft(_ number: UInt32, _ groups: inout [GroupDraft]) -> RunDraft {
        let push = near.pointer(number).pointee
        arena.retain(push.record.chunk)
        var draft = RunDraft(
            origin: number,
            chunk: push.record.chunk,
            record: UnsafeRawPointer(arena.pointer(push.record)),
            due: push.due,
            sequence: push.sequence,
            accepted: push.accepted,
            attempt: push.attempt,
            account: UInt32(slots.pointer(push.slot).pointee.account),
            band: push.priority
        )
        if push.state == .parked { draft.account = accountNumber(arena.pointer(push.record)) }
        if push.merge != NearPush.none {
            draft.group = UInt32(groups.count)
            groups.append(draftGroup(push))
        }
        return draft
    }

    private mutating func draftGroup(_ push: NearPush) -> GroupDraft {
        let group = merges[push.merge]
        for place in group.collected { arena.retain(place.chunk) }
        let isHead = push.state != .parked && slots.pointer(push.slot).pointee.merges
        return GroupDraft(
            first: group.first,
            last: group.last,
            collected: group.collected.map { arena.bytes($0, Int(header($0).length)) },
            chunks: group.collected.map(\.chunk),
            head: isHead ? mergeHash(push.record) : nil
        )
    }

    private mutating func release(_ draft: RunDraft, _ groups: [GroupDraft]) {
        arena.release(draft.chunk)
        guard draft.group != NearPush.none else { return }
        for chunk in groups[Int(draft.group)].chunks { arena.release(chunk) }
    }

    /// Nothing was written: what was drafted is again what only the journal holds.
    private mutating func takeBack(_ drafts: [RunDraft], _ groups: [GroupDraft]) {
        for draft in drafts {
            if near.pointer(draft.origin).pointee.isDrafted { markDirty(draft.origin) }
            release(draft, groups)
        }
    }

    // MARK: Adopting

    /// Of a run that is still being adopted nothing can be read: once something of it is nearly due, the rest is adopted at once.
    mutating func adoptWhatIsDue(at moment: Moment) {
        let near = moment.now + limits.nearWindow.milliseconds
        while let due = nextAdopted(), due <= near { adoptSome(at: moment) }
    }

    /// When the first push is due that is on its way from memory or journal into a run.
    func nextAdopted() -> Int64? {
        let near = adoptions.map(\.earliest).min() ?? .max
        let due = min(near, sorted == nil ? .max : sorting?.earliest ?? .max)
        return due == .max ? nil : due
    }

    var isAdopting: Bool { !adoptions.isEmpty || sorted != nil }

    /// Points some of what new runs hold at the runs: a slice, so that calls need not wait for the whole. What has changed while it was written does
    /// not count in the run.
    mutating func adoptSome(at moment: Moment) {
        guard var adoption = adoptions.popLast() else { return adoptSorted() }
        let far = moment.now + limits.nearWindow.milliseconds
        let end = min(adoption.next + limits.adoptedPushes, adoption.drafts.count)
        for ordinal in adoption.next..<end {
            let draft = adoption.drafts[ordinal]
            if near.pointer(draft.origin).pointee.isDrafted {
                let push = near.pointer(draft.origin)
                push.pointee.isDrafted = false
                push.pointee.homeRun = adoption.run
                push.pointee.homeOrdinal = UInt32(ordinal)
                if push.pointee.state == .scheduled && push.pointee.due > far {
                    let head =
                        draft.group == NearPush.none
                        ? nil : adoption.groups[Int(draft.group)].head
                    adoption.earliest = min(adoption.earliest, draft.due)
                    evict(draft.origin, head)
                    adoption.markEvicted(ordinal, in: runs[adoption.run].blocks)
                }
            } else {
                runs.kill(run: adoption.run, ordinal: UInt32(ordinal))
            }
            release(draft, adoption.groups)
        }
        adoption.next = end
        if end == adoption.drafts.count {
            runs.open(run: adoption.run) { !adoption.evicted[$0] }
        } else {
            adoptions.append(adoption)
        }
    }

    /// The payload leaves memory; the slot remains.
    private mutating func evict(_ number: UInt32, _ head: PushHash?) {
        let push = near.pointer(number).pointee
        unfile(number)
        let slot = slots.pointer(push.slot)
        slot.pointee.run = push.homeRun
        slot.pointee.ordinal = push.homeOrdinal
        if push.merge != NearPush.none {
            for place in merges[push.merge].collected { arena.release(place.chunk) }
            merges.drop(push.merge)
            if let head, slot.pointee.merges { merges.remember(head, of: push.slot) }
        }
        arena.release(push.record.chunk)
        near.giveBack(number)
    }

    // MARK: Rewriting

    /// Brings what still counts in mostly dead runs back into memory, so that this checkpoint writes it anew and the old files can go. A bounded
    /// part at a time; what comes due soon is not worth it.
    private mutating func rewriteMostlyDead(at moment: Moment) throws(TimelineError) {
        var budget = limits.checkpointBytes / 4
        let soon = moment.now + 10 * limits.nearWindow.milliseconds
        for run in runs.runs where run.live > 0 && run.live * 2 < run.count {
            for block in run.blocks.indices
            where !run.isFinished(block) && !run.damaged.contains(block) {
                guard budget > 0 else { return }
                guard run.blocks[block].firstDue > soon else { continue }
                budget -= Int(run.blocks[block].length)
                for number in try loadOrSetAside(run: run.number, block: block) {
                    abandonHome(number)
                    markDirty(number)
                }
            }
        }
    }
}

/// A run that has been written, while its entries are being pointed at.
struct Adoption {
    var run: UInt32
    var drafts: [RunDraft]
    var groups: [GroupDraft]
    /// Blocks with an entry that is no longer in memory.
    var evicted: [Bool]
    /// What has left memory is due from then on; until the whole run is adopted it is not read either.
    var earliest = Int64.max
    var next = 0
    private var block = 0

    init(run: UInt32, drafts: [RunDraft], groups: [GroupDraft], evicted: [Bool]) {
        self.run = run
        self.drafts = drafts
        self.groups = groups
        self.evicted = evicted
    }

    /// Ordinals come in order.
    mutating func markEvicted(_ ordinal: Int, in blocks: [RunBlock]) {
        while block + 1 < blocks.count, Int(blocks[block + 1].firstOrdinal) <= ordinal {
            block += 1
        }
        evicted[block] = true
    }
}
