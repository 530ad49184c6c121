import BelfryCore

extension Lane {
    /// Files pushes as they were in another timeline. In the journal that is a schedule, in which what a merge has collected joins one by one, and a settlement that says how
    /// often each was tried and until when it is held: a replay needs to know nothing new. A group is filed as of the time at which it began, because a past due time in it counts as
    /// that of its acceptance. Durable once the frames are on disk; they go there together.
    ///
    /// - Throws: `full`, `invalid`; nothing was changed then.
    mutating func place(_ pushes: [Pending], at moment: Moment) throws(TimelineError) -> [Bool] {
        advance(to: moment)
        var isIn: [Bool] = []
        var plain = PlaceDraft(at: moment)
        var groups: [PlaceDraft] = []
        for pending in pushes {
            isIn.append(slot(of: hash(pending.push.id)) == nil)
            guard isIn[isIn.count - 1] else { continue }
            guard pending.push.merge != nil else {
                try plain.add(pending)
                continue
            }
            let began = min(pending.accepted, pending.group?.first ?? pending.accepted)
            var group = PlaceDraft(
                at: Moment(now: min(moment.now, began.milliseconds), steady: moment.steady)
            )
            try group.add(pending)
            groups.append(group)
        }
        let drafts = ([plain] + groups).filter { !$0.batch.isEmpty }
        try makeRoom(drafts.reduce(0) { $0 + $1.room }, isGrowth: true)
        for draft in drafts { try file(draft) }
        return isIn
    }

    private mutating func file(_ draft: PlaceDraft) throws(TimelineError) {
        let call = ScheduleCall(draft.batch, key: key)
        var frame = frame(.schedule, count: call.count, at: draft.moment)
        frame.hasOutcomes = 1
        _ = accept(
            Acceptance(
                records: call.frame.body,
                hashes: call.hashes,
                now: draft.moment.now,
                journalled: journal.end + Frame.bytes,
                decided: draft.decided
            )
        )
        put(draft.decided, into: call.frame)
        seal(frame, call.frame)
        try putOff(draft)
    }

    /// Gives each push that was just filed the attempts and the due time that it had.
    private mutating func putOff(_ draft: PlaceDraft) throws(TimelineError) {
        let buffer = FrameBuffer(room: draft.room)
        var frame = frame(.settle, count: 0, at: draft.moment)
        for pending in draft.pushes {
            guard let slot = slot(of: hash(pending.push.id)) else { continue }
            let due = pending.push.due.milliseconds
            if pending.group?.isOpen == false, !pending.collected.isEmpty {
                stopJoining(try bringNear(slot))
            }
            guard pending.attempt > 0 || slots.pointer(slot).pointee.due != due else { continue }
            retry(try bringNear(slot), due: due, attempt: UInt32(pending.attempt))
            write(pending, into: buffer)
            frame.count += 1
        }
        if frame.count > 0 { seal(frame, buffer) }
    }

    private func write(_ pending: Pending, into buffer: FrameBuffer) {
        let start = buffer.body + buffer.length
        let idLength = put(pending.push.id, at: start + SettleEntry.bytes - 2) - 2
        let entry = SettleEntry(
            effect: SettleEntry.Effect.retry.rawValue,
            idLength: UInt16(idLength),
            successorBytes: 0,
            successors: 0,
            attempt: UInt32(pending.attempt),
            due: pending.push.due.milliseconds
        )
        start.storeBytes(of: entry, as: SettleEntry.self)
        buffer.add(SettleEntry.bytes + idLength)
    }
}

/// Pushes that are to be filed as they were, packed before anything is changed.
private struct PlaceDraft {
    private(set) var pushes: [Pending] = []
    private(set) var batch = PushBatch()
    /// Of each record of the batch.
    private(set) var decided: [ScheduleOutcome] = []
    /// As of when they are filed.
    let moment: Moment
    private var settlementBytes = 0

    init(at moment: Moment) { self.moment = moment }

    /// Bytes of both frames at most.
    var room: Int { 2 * Frame.bytes + batch.bytes.count + batch.count + settlementBytes }

    mutating func add(_ pending: Pending) throws(TimelineError) {
        pushes.append(pending)
        settlementBytes += SettleEntry.bytes + pending.push.id.text.utf8.count
        do throws(InvalidPush) { try addRecords(pending) } catch {
            throw TimelineError(.invalid, "\(pending.push.id): \(error)")
        }
    }

    /// A push with what it has collected is the first payload under its id, which the others join: under ids that nobody gives, and that joining drops.
    private mutating func addRecords(_ pending: Pending) throws(InvalidPush) {
        var push = pending.push
        push.due = min(pending.asked, Timestamp(milliseconds: moment.now) + PushLimits.horizon)
        guard push.merge != nil else {
            try batch.append(push)
            return decided.append(.accepted)
        }
        let group = pending.group ?? Pending.Group(first: push.due, last: push.due, isOpen: false)
        let payloads = pending.collected + [pending.push.payload]
        for (number, payload) in payloads.enumerated() {
            push.id = number == 0 ? pending.push.id : PushID("\u{1}\(number)")
            push.due = number == payloads.count - 1 ? group.last : group.first
            push.payload = payload
            try batch.append(push)
            decided.append(
                number > 0 ? .merged : group.isOpen || payloads.count > 1 ? .accepted : .parked
            )
        }
    }
}
