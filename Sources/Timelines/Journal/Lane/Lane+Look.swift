import BelfryCore

extension Lane {
    /// Looks a push up by id.
    mutating func find(_ id: PushID) throws(TimelineError) -> Pending? {
        guard let slot = slot(of: hash(id)) else { return nil }
        let entry = slots.pointer(slot).pointee
        if entry.isDrafted { return try pending(drafted: entry) }
        guard entry.isNear else { return try pending(id, inRun: entry) }
        return shown(near: entry.ordinal)
    }

    /// What memory holds of a push, or of the newer version that waits behind it.
    func shown(near holder: UInt32) -> Pending {
        var number = holder
        let push = near.pointer(number).pointee
        let state: Pending.State
        if push.state != .inFlight {
            state = .scheduled
        } else if push.newer != NearPush.none {
            state = .parked
            number = push.newer
        } else {
            state = push.isCancelled ? .cancelling : .inFlight
        }
        let shown = near.pointer(number).pointee
        var group: Pending.Group?
        if shown.merge != NearPush.none {
            group = Pending.Group(
                first: Timestamp(milliseconds: merges[shown.merge].first),
                last: Timestamp(milliseconds: merges[shown.merge].last),
                isOpen: number == holder && slots.pointer(shown.slot).pointee.merges
            )
        }
        return Pending(
            push: self.push(shown.record, due: shown.due),
            state: state,
            sequence: shown.sequence,
            attempt: Int(shown.attempt),
            asked: asked(number),
            accepted: Timestamp(milliseconds: shown.accepted),
            collected: collected(number),
            group: group
        )
    }

    func counts() -> TimelineCounts {
        TimelineCounts(
            scheduled: pending - inFlight,
            inFlight: inFlight,
            damaged: runs.damagedPushes,
            byAccount: accounts.byName
        )
    }

    /// Pushes due in each bucket. Whole minutes are counted already; finer buckets are counted over all slots.
    func forecast(from: Timestamp, to: Timestamp, bucket: Duration) throws(TimelineError) -> [Int] {
        let start = from.milliseconds
        let width = bucket.milliseconds
        guard width > 0 else { throw TimelineError(.invalid, "bucket: must be above zero") }
        let (span, overflow) = to.milliseconds.subtractingReportingOverflow(start)
        let count = overflow || span <= 0 ? 0 : (span - 1) / width + 1
        guard !overflow, count <= 10_000 else {
            throw TimelineError(.invalid, "from, to, bucket: more than 10000 buckets")
        }
        if start % 60_000 == 0, width % 60_000 == 0, span % 60_000 == 0 {
            return (0..<count).map { number in
                let first = (start + number * width) / 60_000
                let end = min((start + (number + 1) * width) / 60_000, to.milliseconds / 60_000)
                return load.total(minutes: first..<end)
            }
        }
        var counts = [Int](repeating: 0, count: Int(count))
        for number in 0..<slots.used {
            let slot = slots.pointer(number).pointee
            guard slot.isPending, slot.due >= start, slot.due < to.milliseconds else { continue }
            counts[Int((slot.due - start) / width)] += 1
        }
        return counts
    }
}
