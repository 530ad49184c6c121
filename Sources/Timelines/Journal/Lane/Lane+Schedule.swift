import BelfryCore

extension Lane {
    /// Accepts pushes (promises T1, T6, T8). Durable once the frame is on disk.
    ///
    /// - Throws: `full`; nothing was changed then.
    mutating func schedule(_ batch: PushBatch, at moment: Moment) throws(TimelineError)
        -> [ScheduleOutcome]
    {
        guard !batch.isEmpty else { return [] }
        let bytes = batch.bytes.count
        try makeRoom(Frame.bytes + bytes + batch.count, isGrowth: true)
        advance(to: moment)
        let place = arena.allocate(Frame.bytes + bytes + batch.count)
        let body = arena.pointer(place) + Frame.bytes
        batch.bytes.withUnsafeBytes {
            if let start = $0.baseAddress { body.copyMemory(from: start, byteCount: bytes) }
        }
        var frame = frame(.schedule, count: batch.count, at: moment)
        var acceptance = Acceptance(
            chunk: place.chunk,
            offset: Int(place.offset) + Frame.bytes,
            count: batch.count,
            now: moment.now
        )
        let outcomes = accept(&acceptance)
        var length = bytes
        if acceptance.mayMerge {
            frame.hasOutcomes = 1
            for (index, outcome) in outcomes.enumerated() {
                (body + bytes + index).storeBytes(of: outcome.rawValue, as: UInt8.self)
            }
            length += batch.count
        }
        seal(frame, at: place, length: length)
        return outcomes
    }

    /// Files packed pushes that lie in the arena: in a call, in a settlement, or in a replay.
    mutating func accept(_ acceptance: inout Acceptance) -> [ScheduleOutcome] {
        let base = UnsafeRawPointer(arena.pointer(RecordPlace(chunk: acceptance.chunk, offset: 0)))
        prepare(&acceptance, base)
        var outcomes: [ScheduleOutcome] = []
        outcomes.reserveCapacity(acceptance.count)
        var offset = acceptance.offset
        for number in 0..<acceptance.count {
            let header = (base + offset).loadUnaligned(as: PushHeader.self)
            let outcome = accept(
                Incoming(
                    place: RecordPlace(chunk: acceptance.chunk, offset: UInt32(offset)),
                    header: header,
                    hash: hashes[number],
                    now: acceptance.now,
                    decided: acceptance.decided?[number]
                )
            )
            outcomes.append(outcome)
            offset += Int(header.length)
        }
        return outcomes
    }

    /// Hashes every id and reads every place in the index, so that the cache misses overlap instead of adding up.
    private mutating func prepare(_ acceptance: inout Acceptance, _ base: UnsafeRawPointer) {
        hashes.removeAll(keepingCapacity: true)
        var offset = acceptance.offset
        var touched: UInt64 = 0
        for _ in 0..<acceptance.count {
            let header = (base + offset).loadUnaligned(as: PushHeader.self)
            let id = UnsafeRawBufferPointer(
                start: base + offset + PushHeader.bytes,
                count: Int(header.idLength)
            )
            let hash = key.hash(id)
            hashes.append(hash)
            touched ^= index.touch(hash.fingerprint)
            if header.mergeMode != 0 { acceptance.mayMerge = true }
            offset += Int(header.length)
        }
        // Keeps the reads from being optimised away; the value means nothing.
        if touched == 0x9e37_79b9_7f4a_7c15 { acceptance.mayMerge = true }
    }

    private mutating func accept(_ incoming: Incoming) -> ScheduleOutcome {
        let horizon = PushLimits.horizon.milliseconds
        // A due time in the past is due now, whatever it says; the sum cannot overflow for any clock that is a date.
        if incoming.header.due > incoming.now &+ horizon { return .refusedTooFar }
        if let slot = slot(of: incoming.hash) { return replace(slot, by: incoming) }
        if incoming.header.mergeMode != 0 { return acceptMergeable(incoming) }
        add(incoming, due: incoming.header.due)
        return .accepted
    }

    /// A push whose id is not pending.
    ///
    /// - Returns: its number among the near pushes.
    @inline(__always)
    @discardableResult
    mutating func add(_ incoming: Incoming, due: Int64) -> UInt32 {
        let slot = slots.take()
        let number = makeNear(incoming, due: due, slot: slot)
        let account = accountNumber(incoming.place)
        slots.elements[Int(slot)] = Slot(
            high: incoming.hash.high,
            due: due,
            lowest: incoming.hash.lowest,
            accountAndFlags: account | Slot.pending,
            run: Slot.nowhere,
            ordinal: number
        )
        index.insert(incoming.hash.fingerprint, slot: slot)
        accounts.count(Int(account), 1)
        load.count(due, 1)
        file(number)
        return number
    }

    /// A newer version of a push that is pending (promise T6).
    private mutating func replace(_ slot: UInt32, by incoming: Incoming) -> ScheduleOutcome {
        let old = slots.elements[Int(slot)]
        if old.isNear, near.elements[Int(old.ordinal)].state == .inFlight {
            park(incoming, behind: old.ordinal)
            return .parked
        }
        if old.isNear {
            drop(near: old.ordinal)
        } else {
            merges.forget(slot, andRemove: true)
            runs.kill(run: old.run, ordinal: old.ordinal)
        }
        put(incoming, in: slot)
        return .replaced
    }

    /// Makes `incoming` what a slot holds, once the old version is gone.
    private mutating func put(_ incoming: Incoming, in slot: UInt32) {
        let due = dueAlone(incoming)
        let number = makeNear(incoming, due: due, slot: slot)
        settleIn(number, in: slot, account: accountNumber(incoming.place))
        if incoming.header.mergeMode != 0 {
            // A version that was parked is never joined, in a replay neither: see Lane+Merge.
            beginMerge(number, incoming.now, isHead: incoming.decided != .parked)
        }
        file(number)
    }

    /// Points a slot at another near push.
    mutating func settleIn(_ number: UInt32, in slot: UInt32, account: UInt32) {
        let entry = slots.elements + Int(slot)
        accounts.count(entry.pointee.account, -1)
        accounts.count(Int(account), 1)
        entry.pointee.accountAndFlags = account | Slot.pending
        entry.pointee.run = Slot.nowhere
        entry.pointee.ordinal = number
        near.elements[Int(number)].slot = slot
        move(slot: slot, due: near.elements[Int(number)].due)
    }

    /// Keeps a newer version until the claim on the older one ends.
    private mutating func park(_ incoming: Incoming, behind holder: UInt32) {
        if near.elements[Int(holder)].newer != NearPush.none {
            drop(near: near.elements[Int(holder)].newer)
        }
        let slot = near.elements[Int(holder)].slot
        let number = makeNear(incoming, due: dueAlone(incoming), slot: slot)
        near.elements[Int(number)].state = .parked
        near.elements[Int(holder)].newer = number
        abandonHome(holder)
    }

    /// The version on disk no longer counts: a newer one or a cancel has taken its place.
    mutating func abandonHome(_ number: UInt32) {
        let push = near.elements + Int(number)
        push.pointee.isDrafted = false
        if push.pointee.homeRun != 0 {
            runs.kill(run: push.pointee.homeRun, ordinal: push.pointee.homeOrdinal)
            push.pointee.homeRun = 0
        }
    }

    @inline(__always)
    mutating func makeNear(_ incoming: Incoming, due: Int64, slot: UInt32) -> UInt32 {
        let number = near.take()
        var push = NearPush()
        push.due = due
        push.sequence = sequence
        push.accepted = incoming.now
        push.slot = slot
        push.record = incoming.place
        push.priority = incoming.header.priority
        near.elements[Int(number)] = push
        sequence += 1
        arena.retain(incoming.place.chunk)
        markDirty(number)
        return number
    }

    @inline(__always)
    mutating func accountNumber(_ place: RecordPlace) -> UInt32 {
        let header = header(place)
        let start = arena.pointer(place) + PushHeader.bytes + Int(header.idLength)
        return accounts.number(
            UnsafeRawBufferPointer(start: start, count: Int(header.accountLength))
        )
    }
}

/// Packed pushes in the arena that are to be accepted.
struct Acceptance {
    var chunk: UInt32
    var offset: Int
    var count: Int
    var now: Int64
    /// What was decided when this was journalled, where it depended on claims; `nil` for a call.
    var decided: [ScheduleOutcome]?
    /// One of them carries a merge rule.
    var mayMerge = false

    init(chunk: UInt32, offset: Int, count: Int, now: Int64, decided: [ScheduleOutcome]? = nil) {
        self.chunk = chunk
        self.offset = offset
        self.count = count
        self.now = now
        self.decided = decided
    }
}

/// One packed push that is to be accepted.
struct Incoming {
    var place: RecordPlace
    var header: PushHeader
    var hash: PushHash
    var now: Int64
    var decided: ScheduleOutcome?
}
