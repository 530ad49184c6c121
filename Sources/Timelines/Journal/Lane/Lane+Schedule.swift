import BelfryCore
import BelfryTimingWheel

extension Lane {
    /// Accepts pushes (promises T1, T6, T8). Durable once the frame is on disk.
    ///
    /// - Throws: `full`; nothing was changed then.
    mutating func schedule(_ call: ScheduleCall, at moment: Moment) throws(TimelineError)
        -> [ScheduleOutcome]
    {
        guard call.count > 0 else { return [] }
        try makeRoom(Frame.bytes + call.frame.length + call.count, isGrowth: true)
        advance(to: moment)
        var frame = frame(.schedule, count: call.count, at: moment)
        let outcomes = accept(
            Acceptance(
                records: call.frame.body,
                hashes: call.hashes,
                now: moment.now,
                journalled: journal.end + Frame.bytes
            )
        )
        if call.mayMerge {
            frame.hasOutcomes = 1
            put(outcomes, into: call.frame)
        }
        seal(frame, call.frame)
        scheduled.count += call.count
        scheduled.bytes += call.frame.bytes.count
        return outcomes
    }

    /// Writes down what a replay could not decide again. Whether another version was parked before, it finds itself.
    func put(_ outcomes: [ScheduleOutcome], into frame: FrameBuffer) {
        let place = frame.body + frame.length
        for (index, outcome) in outcomes.enumerated() {
            let kept = outcome == .parkedReplaced ? .parked : outcome
            (place + index).storeBytes(of: kept.rawValue, as: UInt8.self)
        }
        frame.add(outcomes.count)
    }

    /// Files packed pushes: of a call, of a settlement, or in a replay.
    mutating func accept(_ acceptance: Acceptance) -> [ScheduleOutcome] {
        var outcomes: [ScheduleOutcome] = []
        outcomes.reserveCapacity(acceptance.hashes.count)
        var offset = 0
        for (number, hash) in acceptance.hashes.enumerated() {
            // Asked for a little ahead, the cache misses overlap instead of adding up.
            let ahead = number + 16
            if ahead < acceptance.hashes.count {
                index.prefetch(acceptance.hashes[ahead].fingerprint)
            }
            let record = acceptance.records + offset
            let header = record.loadUnaligned(as: PushHeader.self)
            let incoming = Incoming(
                record: record,
                header: header,
                hash: hash,
                now: acceptance.now,
                journalled: UInt32(acceptance.journalled + offset),
                decided: acceptance.decided?[number]
            )
            outcomes.append(accept(incoming))
            offset += Int(header.length)
        }
        return outcomes
    }

    private mutating func accept(_ incoming: Incoming) -> ScheduleOutcome {
        // A due time in the past is due now, whatever it says; the sum cannot overflow for any clock that is a date.
        if incoming.header.due > incoming.now &+ horizon { return .refusedTooFar }
        if let slot = slot(of: incoming.hash) { return replace(slot, by: incoming) }
        if incoming.header.mergeMode != 0 { return acceptMergeable(incoming) }
        let slot = slots.take()
        if isFar(incoming) {
            let draft = draft(incoming, slot: slot)
            add(incoming, slot, due: incoming.header.due, run: Slot.drafted, ordinal: draft)
        } else {
            addNear(incoming, slot, due: incoming.header.due)
        }
        return .accepted
    }

    /// A push whose id is not pending, and whose time is near.
    ///
    /// - Returns: its number among the near pushes.
    @discardableResult
    mutating func addNear(_ incoming: Incoming, _ slot: UInt32, due: Int64) -> UInt32 {
        let number = makeNear(incoming, due: due, slot: slot)
        add(incoming, slot, due: due, run: Slot.nowhere, ordinal: number)
        file(number)
        return number
    }

    @inline(__always)
    private mutating func add(
        _ incoming: Incoming,
        _ slot: UInt32,
        due: Int64,
        run: UInt32,
        ordinal: UInt32
    ) {
        let account = accountNumber(incoming.record)
        slots.pointer(slot).pointee = Slot(
            high: incoming.hash.high,
            due: due,
            lowest: incoming.hash.lowest,
            accountAndFlags: account | Slot.pending,
            run: run,
            ordinal: ordinal
        )
        index.insert(incoming.hash.fingerprint, slot: slot)
        accounts.count(Int(account), 1)
        load.count(due, 1)
    }

    /// Due so late that it waits in the journal. What may merge is kept in memory until a checkpoint, so that others can join it.
    @inline(__always)
    private func isFar(_ incoming: Incoming) -> Bool {
        incoming.header.mergeMode == 0
            && incoming.header.due > wheel.now &+ farWindow
    }

    @inline(__always)
    private mutating func draft(_ incoming: Incoming, slot: UInt32) -> UInt32 {
        let draft = Draft(
            offset: incoming.journalled,
            slot: slot,
            sequence: sequence,
            accepted: incoming.now
        )
        sequence += stride
        return drafts.append(draft, due: incoming.header.due)
    }

    /// A newer version of a push that is pending (promise T6).
    private mutating func replace(_ slot: UInt32, by incoming: Incoming) -> ScheduleOutcome {
        let old = slots.pointer(slot).pointee
        if old.isNear, near.pointer(old.ordinal).pointee.state == .inFlight {
            return park(incoming, behind: old.ordinal)
        }
        forget(old, of: slot)
        put(incoming, in: slot)
        return .replaced
    }

    /// Makes `incoming` what a slot holds, once the old version is gone.
    private mutating func put(_ incoming: Incoming, in slot: UInt32) {
        if isFar(incoming) {
            let account = accountNumber(incoming.record)
            let draft = draft(incoming, slot: slot)
            point(slot, account: account, run: Slot.drafted, draft)
            move(slot: slot, due: incoming.header.due)
            return
        }
        let due = dueAlone(incoming)
        let number = makeNear(incoming, due: due, slot: slot)
        settleIn(number, in: slot, account: accountNumber(incoming.record))
        if incoming.header.mergeMode != 0 {
            // A version that was parked is never joined, in a replay neither: see Lane+Merge.
            beginMerge(number, incoming.now, isHead: incoming.decided != .parked)
        }
        file(number)
    }

    /// Points a slot at another near push.
    mutating func settleIn(_ number: UInt32, in slot: UInt32, account: UInt32) {
        point(slot, account: account, run: Slot.nowhere, number)
        near.pointer(number).pointee.slot = slot
        move(slot: slot, due: near.pointer(number).pointee.due)
    }

    private mutating func point(_ slot: UInt32, account: UInt32, run: UInt32, _ ordinal: UInt32) {
        let entry = slots.pointer(slot)
        accounts.count(entry.pointee.account, -1)
        accounts.count(Int(account), 1)
        entry.pointee.accountAndFlags = account | Slot.pending
        entry.pointee.run = run
        entry.pointee.ordinal = ordinal
    }

    /// Keeps a newer version until the claim on the older one ends.
    private mutating func park(_ incoming: Incoming, behind holder: UInt32) -> ScheduleOutcome {
        let waited = near.pointer(holder).pointee.newer
        if waited != NearPush.none { drop(near: waited) }
        let slot = near.pointer(holder).pointee.slot
        let number = makeNear(incoming, due: dueAlone(incoming), slot: slot)
        near.pointer(number).pointee.state = .parked
        near.pointer(holder).pointee.newer = number
        abandonHome(holder)
        return waited == NearPush.none ? .parked : .parkedReplaced
    }

    /// The version on disk no longer counts: a newer one or a cancel has taken its place.
    mutating func abandonHome(_ number: UInt32) {
        let push = near.pointer(number)
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
        push.record = arena.keep(incoming.record, Int(incoming.header.length))
        push.priority = incoming.header.priority
        near.pointer(number).pointee = push
        sequence += stride
        markDirty(number)
        return number
    }

    @inline(__always)
    mutating func accountNumber(_ record: UnsafeRawPointer) -> UInt32 {
        let header = record.loadUnaligned(as: PushHeader.self)
        let start = record + PushHeader.bytes + Int(header.idLength)
        return accounts.number(
            UnsafeRawBufferPointer(start: start, count: Int(header.accountLength))
        )
    }
}

/// Packed pushes that are to be accepted.
struct Acceptance {
    var records: UnsafeRawPointer
    /// Of every id: there are as many records.
    var hashes: [PushHash]
    var now: Int64
    /// Where the first record lies in the journal segment that is being written or replayed.
    var journalled: Int
    /// What was decided when this was journalled, where it depended on claims; `nil` for a call.
    var decided: [ScheduleOutcome]?
}

/// One packed push that is to be accepted.
struct Incoming {
    var record: UnsafeRawPointer
    var header: PushHeader
    var hash: PushHash
    var now: Int64
    /// Where its record lies in the journal segment.
    var journalled: UInt32
    var decided: ScheduleOutcome?
}
