import BelfryCore

/// Merging (promise T8). A group's due time is `min(first + maxWait, last + grace)`, where `first` and `last` are the earliest and the latest due
/// time in it, a past one counting as the time of acceptance. A push that is due later than the group may wait does not join it, and begins
/// the next group: so nobody is sent before its due time (promise T2).
///
/// The push that began the group keeps its id; payload, priority, channel and expiry are the newest push's. Once claimed, a group takes
/// no more, and neither does a version that was parked.
///
/// Claims are not journalled, so that a replay cannot know what could still be joined: the journal says for each push whether it merged. Whatever
/// was the head of a group when a push joined it is its head in the replay too, because only claims make a difference, and
/// those only take heads away.
extension Lane {
    /// A push with a merge rule whose id is not pending.
    mutating func acceptMergeable(_ incoming: Incoming) -> ScheduleOutcome {
        let hash = mergeHash(incoming.record)
        // In a replay the journal knows whether it merged; otherwise the group decides. What was parked behind a claim that was cancelled is
        // in a replay as good as new, and still joins nothing.
        if incoming.decided ?? .merged == .merged, let slot = merges.head(hash),
            join(incoming, slot)
        {
            return .merged
        }
        let number = addNear(incoming, slots.take(), due: dueAlone(incoming))
        beginMerge(number, incoming.now, isHead: incoming.decided != .parked)
        return .accepted
    }

    /// When a push is due if no other joins it.
    func dueAlone(_ incoming: Incoming) -> Int64 {
        let header = incoming.header
        guard header.mergeMode != 0 else { return header.due }
        return max(header.due, incoming.now) + Int64(min(header.grace, header.maxWait))
    }

    /// Gives a near push a group of its own, which others join if it is the head.
    mutating func beginMerge(_ number: UInt32, _ now: Int64, isHead: Bool) {
        let place = near.pointer(number).pointee.record
        let base = max(header(place).due, now)
        near.pointer(number).pointee.merge = merges.add(.init(first: base, last: base))
        guard isHead else { return }
        let slot = near.pointer(number).pointee.slot
        setHead(mergeHash(place), slot)
    }

    /// Further pushes of this recipient and key join this one, and no longer the one before.
    mutating func setHead(_ hash: PushHash, _ slot: UInt32) {
        if let old = merges.head(hash) { slots.pointer(old).pointee.merges = false }
        merges.setHead(hash, slot)
        slots.pointer(slot).pointee.merges = true
    }

    /// A claimed push, or one that ends, is joined no more.
    mutating func leaveMerge(_ number: UInt32) {
        let push = near.pointer(number).pointee
        stopJoining(number)
        guard push.merge != NearPush.none else { return }
        for place in merges[push.merge].collected { arena.release(place.chunk) }
        merges.drop(push.merge)
        near.pointer(number).pointee.merge = NearPush.none
    }

    mutating func stopJoining(_ number: UInt32) {
        let push = near.pointer(number).pointee
        guard push.state != .parked, slots.pointer(push.slot).pointee.merges else { return }
        slots.pointer(push.slot).pointee.merges = false
        merges.remove(mergeHash(push.record))
    }

    /// - Returns: `false` if it is due too late to join.
    private mutating func join(_ incoming: Incoming, _ slot: UInt32) -> Bool {
        let base = max(incoming.header.due, incoming.now)
        let number: UInt32
        // A group that cannot be read is joined no more; whoever claims it is told of the damage.
        do throws(TimelineError) { number = try bringNear(slot) } catch { return false }
        var group = merges[near.pointer(number).pointee.merge]
        group.first = min(group.first, base)
        group.last = max(group.last, base)
        let latest = group.first + Int64(incoming.header.maxWait)
        guard group.last <= latest else { return false }
        let old = near.pointer(number).pointee.record
        if incoming.header.mergeMode == MergeRule.Mode.collect.rawValue {
            // The newest is one of those that are kept; beyond the limit it is the one replaced.
            if group.collected.count < PushLimits.collected - 1 {
                group.collected.append(old)
                arena.retain(old.chunk)
            }
        } else {
            for place in group.collected { arena.release(place.chunk) }
            group.collected = []
        }
        merges[near.pointer(number).pointee.merge] = group
        let due = min(latest, group.last + Int64(incoming.header.grace))
        renew(number, with: incoming, due: due)
        return true
    }

    /// Gives the group's head the newest push's content under its own id.
    private mutating func renew(_ number: UInt32, with incoming: Incoming, due: Int64) {
        unfile(number)
        abandonHome(number)
        let push = near.pointer(number)
        let old = push.pointee.record
        push.pointee.record = record(incoming, named: old)
        arena.release(old.chunk)
        push.pointee.due = due
        push.pointee.sequence = sequence
        push.pointee.accepted = incoming.now
        push.pointee.priority = incoming.header.priority
        sequence += stride
        markDirty(number)
        move(slot: push.pointee.slot, due: due)
        file(number)
    }

    /// A record with the content of one and the id of another; it has one user.
    private mutating func record(_ incoming: Incoming, named old: RecordPlace) -> RecordPlace {
        let idLength = Int(header(old).idLength)
        let rest = Int(incoming.header.length) - PushHeader.bytes - Int(incoming.header.idLength)
        let place = arena.allocate(PushHeader.bytes + idLength + rest)
        arena.retain(place.chunk)
        var header = incoming.header
        header.length = UInt32(PushHeader.bytes + idLength + rest)
        header.idLength = UInt16(idLength)
        let target = arena.pointer(place)
        target.storeBytes(of: header, as: PushHeader.self)
        (target + PushHeader.bytes).copyMemory(
            from: arena.pointer(old) + PushHeader.bytes,
            byteCount: idLength
        )
        (target + PushHeader.bytes + idLength).copyMemory(
            from: incoming.record + Int(incoming.header.length) - rest,
            byteCount: rest
        )
        return place
    }

    /// Recipient and merge key of a record, hashed.
    func mergeHash(_ place: RecordPlace) -> PushHash {
        mergeHash(UnsafeRawPointer(arena.pointer(place)))
    }

    func mergeHash(_ record: UnsafeRawPointer) -> PushHash {
        let header = record.loadUnaligned(as: PushHeader.self)
        let account = record + PushHeader.bytes + Int(header.idLength)
        let person = account + Int(header.accountLength)
        let channel = person + Int(header.personLength)
        var text = Bytes()
        // Lengths first, so that no two lists of parts look alike.
        text.put(header.accountLength)
        text.put(header.personLength)
        text.array.append(
            contentsOf: UnsafeRawBufferPointer(start: account, count: channel - account)
        )
        text.array.append(
            contentsOf: UnsafeRawBufferPointer(
                start: channel + Int(header.channelLength),
                count: Int(header.mergeKeyLength)
            )
        )
        return text.array.withUnsafeBytes { key.hash($0) }
    }
}
