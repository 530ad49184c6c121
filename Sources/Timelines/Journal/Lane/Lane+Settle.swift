import BelfryCore

extension Lane {
    /// Ends claims (promises T4, T13). Everything that one call says is in one frame. Durable once that is on disk.
    ///
    /// - Throws: `invalid` if successors take too much room, `full`; nothing was changed then.
    mutating func settle(_ drafts: [SettleDraft], at moment: Moment) throws(TimelineError)
        -> [SettleOutcome]
    {
        guard !drafts.isEmpty else { return [] }
        let room = drafts.reduce(Frame.bytes) { $0 + $1.room }
        guard room <= Frame.bodyLimit else {
            throw TimelineError(.invalid, "settlements: too many successors in one call")
        }
        try makeRoom(room, isGrowth: false)
        advance(to: moment)
        var writer = SettleWriter(frame: FrameBuffer(room: room))
        var frame = frame(.settle, count: 0, at: moment)
        let outcomes = drafts.map { settle($0, &writer, at: moment) }
        if writer.count > 0 {
            frame.count = UInt32(writer.count)
            seal(frame, writer.frame)
        }
        return outcomes
    }

    private mutating func settle(
        _ draft: SettleDraft,
        _ writer: inout SettleWriter,
        at moment: Moment
    ) -> SettleOutcome {
        guard let number = holder(of: draft.settlement.token) else { return .stale }
        let push = near.pointer(number).pointee
        let hash = hash(draft.settlement.token.id)
        if push.isCancelled && push.newer == NearPush.none {
            // The cancel is in the journal already.
            remove(slot: push.slot, hash: hash)
            return .settledCancelled
        }
        // A cancel that came before the newer version ended this one all the same: no successors.
        let successors = push.isCancelled ? nil : draft.successors
        if push.newer != NearPush.none {
            unpark(number)
            let rest = successors.flatMap { draft.without($0) }
            write(.none, draft, rest, attempt: 0, due: 0, &writer, at: moment)
            return .settledParked
        }
        switch draft.settlement.result {
        case .retry(let due):
            again(number, draft, successors, due: due.milliseconds, attempts: 1, &writer, moment)
        case .hold(let due):
            again(number, draft, successors, due: due.milliseconds, attempts: 0, &writer, moment)
        case .done, .dead:
            remove(slot: push.slot, hash: hash)
            write(.remove, draft, successors, attempt: 0, due: 0, &writer, at: moment)
        }
        return .settled
    }

    private mutating func again(
        _ number: UInt32,
        _ draft: SettleDraft,
        _ successors: PushBatch?,
        due: Int64,
        attempts: UInt32,
        _ writer: inout SettleWriter,
        _ moment: Moment
    ) {
        let attempt = near.pointer(number).pointee.attempt + attempts
        retry(number, due: due, attempt: attempt)
        write(.retry, draft, successors, attempt: attempt, due: due, &writer, at: moment)
    }

    /// Files a push again that was in flight, or, in a replay, was pending.
    mutating func retry(_ number: UInt32, due: Int64, attempt: UInt32) {
        unfile(number)
        let push = near.pointer(number)
        push.pointee.due = due
        push.pointee.attempt = attempt
        abandonHome(number)
        markDirty(number)
        move(slot: push.pointee.slot, due: due)
        file(number)
    }

    /// Writes what a settlement changed, and accepts the successors where they then lie.
    private mutating func write(
        _ effect: SettleEntry.Effect,
        _ draft: SettleDraft,
        _ successors: PushBatch?,
        attempt: UInt32,
        due: Int64,
        _ writer: inout SettleWriter,
        at moment: Moment
    ) {
        if effect == .none && successors == nil { return }
        let count = successors?.count ?? 0
        let bytes = successors?.bytes.count ?? 0
        let frame = writer.frame
        let start = frame.body + frame.length
        let idLength = put(draft.settlement.token.id, at: start + SettleEntry.bytes - 2) - 2
        let entry = SettleEntry(
            effect: effect.rawValue,
            idLength: UInt16(idLength),
            successorBytes: UInt32(bytes),
            successors: UInt32(count),
            attempt: attempt,
            due: due
        )
        start.storeBytes(of: entry, as: SettleEntry.self)
        frame.add(SettleEntry.bytes + idLength)
        writer.count += 1
        guard let successors else { return }
        let records = frame.body + frame.length
        let offset = journal.end + Frame.bytes + frame.length
        successors.bytes.withUnsafeBytes {
            if let from = $0.baseAddress { records.copyMemory(from: from, byteCount: bytes) }
        }
        frame.add(bytes)
        let outcomes = accept(
            Acceptance(
                records: records,
                hashes: ScheduleCall.hashes(records, count, key).hashes,
                now: moment.now,
                journalled: offset
            )
        )
        put(outcomes, into: frame)
    }
}

/// The settle frame that is being written while it is decided.
struct SettleWriter {
    let frame: FrameBuffer
    var count = 0
}

/// A settlement whose successors have been checked and packed, before anything is changed.
struct SettleDraft: Sendable {
    var settlement: Settlement
    var successors: PushBatch?

    /// - Throws: `invalid` if a successor breaks a limit.
    static func list(_ settlements: [Settlement], at moment: Moment) throws(TimelineError)
        -> [SettleDraft]
    {
        var drafts: [SettleDraft] = []
        drafts.reserveCapacity(settlements.count)
        for settlement in settlements { drafts.append(try SettleDraft(settlement, at: moment)) }
        return drafts
    }

    /// - Throws: `invalid` if a successor breaks a limit.
    init(_ settlement: Settlement, at moment: Moment) throws(TimelineError) {
        self.settlement = settlement
        guard !settlement.successors.isEmpty else { return }
        let latest = moment.now + PushLimits.horizon.milliseconds
        let person = settlement.successors[0].recipient
        for push in settlement.successors {
            guard push.due.milliseconds <= latest else {
                throw TimelineError(.invalid, "successor \(push.id): due too far ahead")
            }
            guard push.recipient == person else {
                throw TimelineError(.invalid, "successor \(push.id): is for another recipient")
            }
        }
        do { successors = try PushBatch(settlement.successors) } catch {
            throw TimelineError(.invalid, "successor: \(error)")
        }
    }

    /// Bytes that its entry may take.
    var room: Int {
        SettleEntry.bytes + settlement.token.id.text.utf8.count
            + (successors.map { $0.bytes.count + $0.count } ?? 0)
    }

    /// The successors but the one that carries the settled id: a newer version of that is pending.
    func without(_ successors: PushBatch) -> PushBatch? {
        let others = settlement.successors.filter { $0.id != settlement.token.id }
        guard others.count < settlement.successors.count else { return successors }
        guard !others.isEmpty else { return nil }
        do { return try PushBatch(others) } catch {
            // They were packed before.
            preconditionFailure("a checked successor was refused: \(error)")
        }
    }
}
