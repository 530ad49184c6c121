import BelfryCore

/// Reading what lies in runs.
extension Lane {
    /// Makes the runs of a manifest known: who is in them, and what of them counts.
    mutating func openRuns(_ manifest: Manifest) throws(TimelineError) {
        nextRun = manifest.nextRun
        for entry in manifest.runs {
            let reader = try RunReader(entry.number, on: disk, expecting: Int(entry.size))
            let run = Run(
                number: entry.number,
                file: reader.file,
                size: reader.size,
                count: Int(entry.count),
                blocks: try reader.blocks(),
                dead: entry.dead
            )
            guard Int(reader.footer.count) == run.count, run.dead.count == (run.count + 63) / 64
            else {
                throw TimelineError(
                    .corrupt,
                    "\(FileFormat.manifestName): does not fit \(reader.name)"
                )
            }
            try addIdentities(of: run, reader)
            runs.add(run)
            runs.open(run: run.number) { _ in false }
        }
    }

    private mutating func addIdentities(of run: Run, _ reader: RunReader<Disk>)
        throws(TimelineError)
    {
        let section = try reader.identities()
        var slotOf: [UInt32: UInt32] = [:]
        let merging = try reader.merges()
        let wanted = Set(merging.map(\.ordinal))
        for ordinal in 0..<UInt32(run.count) where !run.isDead(ordinal) {
            let identity = section.bytes.loadUnaligned(
                fromByteOffset: Int(ordinal) * RunIdentity.bytes,
                as: RunIdentity.self
            )
            let slot = slots.take()
            slots.pointer(slot).pointee = Slot(
                high: identity.hash.high,
                due: identity.due,
                lowest: identity.hash.lowest,
                accountAndFlags: identity.account | Slot.pending,
                run: run.number,
                ordinal: ordinal
            )
            index.insert(identity.hash.fingerprint, slot: slot)
            accounts.count(Int(identity.account), 1)
            load.count(identity.due, 1)
            if wanted.contains(ordinal) { slotOf[ordinal] = slot }
        }
        for merge in merging {
            guard let slot = slotOf[merge.ordinal] else { continue }
            // Runs come in the order in which they were written: the last one that names a head is right.
            setHead(merge.hash, slot)
            merges.remember(merge.hash, of: slot)
        }
    }

    /// Reads what is due in one band, as far as the order needs it: after this, nothing unread comes before the head of the ready queue.
    mutating func loadDue(_ band: Int, at moment: Moment) throws(TimelineError) {
        while let due = runs.earliest[band], postponed(due, band) <= moment.now {
            if let head = readyHead(band), head.due < due { return }
            guard let first = runs.first(band) else { return }
            try loadOrSetAside(run: first.run, block: first.block)
            runs.passed(run: first.run, band: band)
        }
    }

    /// Reads a block for what is in it; if it is damaged, nothing is, and the rest goes on.
    ///
    /// - Returns: as ``loadBlock(run:block:only:)``.
    @discardableResult
    mutating func loadOrSetAside(run: UInt32, block: Int) throws(TimelineError) -> [UInt32] {
        do throws(TimelineError) { return try loadBlock(run: run, block: block) } catch {
            guard error.code == .corrupt else { throw error }
            return []
        }
    }

    /// Reads some of what comes due soon, so that it is there when its time comes: a block in each band.
    ///
    /// - Returns: whether there is more.
    @discardableResult
    mutating func lookAhead(at moment: Moment) throws(TimelineError) -> Bool {
        try loadDrafts(at: moment)
        let until = moment.now + limits.lookAhead.milliseconds
        var isMore = false
        for band in 0..<ReadyQueue.bands where near.count < limits.aheadPushes {
            guard let due = runs.earliest[band], postponed(due, band) <= until,
                let first = runs.first(band)
            else { continue }
            try loadOrSetAside(run: first.run, block: first.block)
            runs.passed(run: first.run, band: band)
            isMore = true
        }
        return isMore
    }

    /// The near push of a slot, read from its run if need be.
    mutating func bringNear(_ slot: UInt32) throws(TimelineError) -> UInt32 {
        let entry = slots.pointer(slot).pointee
        if entry.isDrafted {
            try load(draft: entry)
        } else if !entry.isNear {
            let block = runs[entry.run].block(of: entry.ordinal)
            try loadBlock(run: entry.run, block: block, only: entry.ordinal)
        }
        return slots.pointer(slot).pointee.ordinal
    }

    /// Reads the entries of a block that count and are not in memory.
    ///
    /// - Returns: their numbers among the near pushes.
    @discardableResult
    mutating func loadBlock(run number: UInt32, block: Int, only: UInt32? = nil)
        throws(TimelineError) -> [UInt32]
    {
        let run = runs[number]
        var loaded: [UInt32] = []
        if run.isFinished(block) { return loaded }
        let info = run.blocks[block]
        let place = arena.allocate(Int(info.length))
        arena.retain(place.chunk)
        defer { arena.release(place.chunk) }
        try read(run, info, into: arena.pointer(place))
        var offset = Int(place.offset)
        for ordinal in info.firstOrdinal..<info.firstOrdinal + info.count {
            let at = RecordPlace(chunk: place.chunk, offset: UInt32(offset))
            let entry = UnsafeRawPointer(arena.pointer(at)).loadUnaligned(as: RunEntry.self)
            offset += Int(entry.length)
            if run.isDead(ordinal) || (only != nil && only != ordinal) { continue }
            let record = RecordPlace(
                chunk: at.chunk,
                offset: at.offset + UInt32(RunEntry.bytes + entry.groupBytes)
            )
            guard let slot = slot(of: key.hash(idBytes(record))) else { continue }
            let held = slots.pointer(slot).pointee
            guard held.run == number, held.ordinal == ordinal else { continue }
            loaded.append(load(entry, record, into: slot, run: number, ordinal: ordinal))
        }
        return loaded
    }

    private mutating func read(_ run: Run, _ info: RunBlock, into target: UnsafeMutableRawPointer)
        throws(TimelineError)
    {
        let buffer = UnsafeMutableRawBufferPointer(start: target, count: Int(info.length))
        let disk = disk
        let count = try onDisk { () throws(StorageError) in
            try disk.read(run.file, at: Int(info.offset), into: buffer)
        }
        guard count == buffer.count, Checksum.crc(UnsafeRawBufferPointer(buffer)) == info.crc else {
            setAside(run.number, run.block(of: info.firstOrdinal))
            throw TimelineError(
                .corrupt,
                "\(FileFormat.runName(run.number)), byte \(info.offset): the block is damaged"
            )
        }
    }

    /// From now on nothing in the block is lent, and whoever runs the timeline is told. Its slots stay: what is in it is pending, and can be ended.
    private mutating func setAside(_ run: UInt32, _ block: Int) {
        guard !runs[run].damaged.contains(block) else { return }
        runs.setAside(run: run, block: block)
        newDamage.append(runs[run].described(block))
    }

    /// Reads a block that is said to be damaged, and sets it aside if it is.
    mutating func examine(run number: UInt32, block: Int) throws(TimelineError) {
        guard runs.contains(number), !runs[number].isFinished(block) else { return }
        let info = runs[number].blocks[block]
        let place = arena.allocate(Int(info.length))
        arena.retain(place.chunk)
        defer { arena.release(place.chunk) }
        do throws(TimelineError) { try read(runs[number], info, into: arena.pointer(place)) } catch
        {
            guard error.code == .corrupt else { throw error }
        }
    }

    private mutating func load(
        _ entry: RunEntry,
        _ record: RecordPlace,
        into slot: UInt32,
        run: UInt32,
        ordinal: UInt32
    ) -> UInt32 {
        let number = near.take()
        var push = NearPush()
        push.due = slots.pointer(slot).pointee.due
        push.sequence = entry.sequence
        push.accepted = entry.accepted
        push.attempt = entry.attempt
        push.slot = slot
        push.record = record
        push.priority = header(record).priority
        push.homeRun = run
        push.homeOrdinal = ordinal
        arena.retain(record.chunk)
        if entry.hasGroup {
            let found = (UnsafeRawPointer(arena.pointer(record)) - RunGroup.bytes)
                .loadUnaligned(as: RunGroup.self)
            var group = MergeGroups.Group(first: found.first, last: found.last)
            var next = record
            for _ in 0..<found.collected {
                next.offset += header(next).length
                group.collected.append(next)
                arena.retain(next.chunk)
            }
            push.merge = merges.add(group)
        }
        near.pointer(number).pointee = push
        slots.pointer(slot).pointee.run = Slot.nowhere
        slots.pointer(slot).pointee.ordinal = number
        merges.forget(slot)
        file(number)
        return number
    }

    /// What lies in a run; of what is set aside, what its slot tells.
    mutating func pending(_ id: PushID, inRun entry: Slot) throws(TimelineError) -> Pending? {
        do throws(TimelineError) { return try pending(inRun: entry) } catch {
            guard error.code == .corrupt else { throw error }
            let names = accounts.names
            let account = entry.account < names.count ? names[entry.account] : ""
            let known = Push(
                id: id,
                recipient: Recipient(account: account, person: ""),
                due: Timestamp(milliseconds: entry.due),
                channel: "",
                payload: []
            )
            let unknown = Timestamp(milliseconds: 0)
            return Pending(
                push: known,
                state: .damaged,
                sequence: 0,
                attempt: 0,
                accepted: unknown
            )
        }
    }

    /// Shown without bringing it into memory for longer.
    private mutating func pending(inRun entry: Slot) throws(TimelineError) -> Pending? {
        try pending(inBlock: [entry]).first
    }

    /// Reads a block once for several entries, which lie in it in this order.
    mutating func pending(inBlock entries: [Slot]) throws(TimelineError) -> [Pending] {
        let run = runs[entries[0].run]
        let info = run.blocks[run.block(of: entries[0].ordinal)]
        let place = arena.allocate(Int(info.length))
        arena.retain(place.chunk)
        defer { arena.release(place.chunk) }
        try read(run, info, into: arena.pointer(place))
        var at = place
        var ordinal = info.firstOrdinal
        return entries.map { entry in
            while ordinal < entry.ordinal {
                let passed = UnsafeRawPointer(arena.pointer(at)).loadUnaligned(as: RunEntry.self)
                at.offset += passed.length
                ordinal += 1
            }
            return pending(entry, at: at)
        }
    }

    /// What lies at a place of a block in memory.
    private func pending(_ entry: Slot, at place: RecordPlace) -> Pending {
        var at = place
        let found = UnsafeRawPointer(arena.pointer(at)).loadUnaligned(as: RunEntry.self)
        at.offset += UInt32(RunEntry.bytes + found.groupBytes)
        let shown = push(at, due: entry.due)
        var asked = Timestamp(milliseconds: header(at).due)
        var collected: [[UInt8]] = []
        var span: Pending.Group?
        if found.groupBytes > 0 {
            let group = UnsafeRawPointer(arena.pointer(at) - RunGroup.bytes)
                .loadUnaligned(as: RunGroup.self)
            asked = header(at).asked(first: group.first, last: group.last)
            span = Pending.Group(
                first: Timestamp(milliseconds: group.first),
                last: Timestamp(milliseconds: group.last),
                isOpen: entry.merges
            )
            for _ in 0..<group.collected {
                at.offset += header(at).length
                collected.append(push(at, due: 0).payload)
            }
        }
        return Pending(
            push: shown,
            state: .scheduled,
            sequence: found.sequence,
            attempt: Int(found.attempt),
            asked: asked,
            accepted: Timestamp(milliseconds: found.accepted),
            collected: collected,
            group: span
        )
    }
}
