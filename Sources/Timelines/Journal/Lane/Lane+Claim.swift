import BelfryCore
import BelfryTimingWheel

extension Lane {
    /// Lends due pushes (promises T2, T3, T4, T7). Not journalled.
    mutating func claim(limit: Int, lease: Duration, at moment: Moment) throws(TimelineError)
        -> ClaimBatch
    {
        try claim(ClaimCall(limit: limit, lease: lease), at: moment)
    }

    mutating func claim(_ call: ClaimCall, at moment: Moment) throws(TimelineError) -> ClaimBatch {
        let limit = call.limit
        try check(limit: limit)
        let length = try checked(call.lease)
        deferral = call.deferral
        var moment = moment
        if limits.mutation == .ringsEarly { moment.now += 1000 }
        advance(to: moment)
        var claims: [Claim] = []
        do throws(TimelineError) {
            try loadDrafts(at: moment)
            while claims.count < limit, let number = try nextReady(moment) {
                claims.append(lend(number, length, moment))
            }
            try lookAhead(at: moment)
        } catch {
            // What was lent already must reach its worker; the failure is told at the next call, when nothing else is due.
            if claims.isEmpty { throw error }
        }
        return ClaimBatch(
            claims: claims,
            now: Timestamp(milliseconds: moment.now),
            nextDue: nextDue(at: moment)
        )
    }

    /// Gives claims a new lease from now.
    mutating func extend(_ tokens: [ClaimToken], lease: Duration, at moment: Moment)
        throws(TimelineError) -> [ExtendOutcome]
    {
        let length = try checked(lease)
        advance(to: moment)
        return tokens.map { token in
            guard let number = holder(of: token) else { return .stale }
            let push = near.pointer(number)
            leases.remove(push.pointee.timer)
            push.pointee.leaseEnds = moment.steady + length
            push.pointee.timer = leases.insert(due: push.pointee.leaseEnds, value: number)
            return isSuperseded(number) ? .extendedSuperseded : .extended
        }
    }

    /// When the next push becomes due or the next lease ends.
    mutating func nextDue(at moment: Moment) -> Timestamp? {
        var next = nextNear()
        while let (due, band) = nextInRuns(), due < next ?? .max {
            next = due
            // The block's first push may have ended: its entries tell.
            guard let first = runs.first(band), !runs[first.run].isWhole(first.block),
                // A failure to read is told by the claim that needs the block; what is damaged is nobody's next.
                (try? loadOrSetAside(run: first.run, block: first.block)) != nil
            else { break }
            runs.passed(run: first.run, band: band)
            next = nextNear()
        }
        if let due = nextDraft() { next = min(next ?? .max, due) }
        if let due = nextAdopted() { next = min(next ?? .max, due) }
        if let end = leases.next() {
            next = min(next ?? .max, moment.now + (end - moment.steady))
        }
        return next.map { Timestamp(milliseconds: $0) }
    }

    /// When the next push in memory is due. Of those in the wheel the band is not known: one that is deferred costs a look when it leaves the wheel.
    private mutating func nextNear() -> Int64? {
        var next = wheel.next()
        for band in 0..<ReadyQueue.bands {
            if let head = readyHead(band) {
                next = min(next ?? .max, postponed(head.due, band))
            }
        }
        return next
    }

    /// When the next push in a run is due, and its band.
    private func nextInRuns() -> (due: Int64, band: Int)? {
        runs.earliest.enumerated().compactMap { band, due in
            due.map { (postponed($0, band), band) }
        }.min { $0.0 < $1.0 }
    }

    /// When the last claim lends what is due then: later, where its band is deferred.
    func postponed(_ due: Int64, _ band: Int) -> Int64 {
        guard let delay = deferral?.delay(ofBand: band) else { return due }
        let (sum, overflow) = due.addingReportingOverflow(delay)
        return overflow ? .max : sum
    }

    /// The near push that a token holds; `nil` if the token is stale.
    func holder(of token: ClaimToken) -> UInt32? {
        guard let slot = slot(of: hash(token.id)) else { return nil }
        let entry = slots.pointer(slot).pointee
        guard entry.isNear else { return nil }
        let push = near.pointer(entry.ordinal).pointee
        guard push.state == .inFlight,
            push.generation == token.generation || limits.mutation == .skipsGenerationCheck
        else { return nil }
        return entry.ordinal
    }

    func isSuperseded(_ number: UInt32) -> Bool {
        let push = near.pointer(number).pointee
        return push.isCancelled || push.newer != NearPush.none
    }

    /// Takes back a claim whose lease has ended (promise T3).
    mutating func endLease(_ number: UInt32) {
        let push = near.pointer(number)
        inFlight -= 1
        push.pointee.timer = .none
        push.pointee.generation = nextGeneration()
        if push.pointee.newer != NearPush.none {
            // Not in flight any more: dropping it must not count it again.
            push.pointee.state = .ready
            unpark(number)
        } else if push.pointee.isCancelled {
            push.pointee.state = .ready
            let hash = key.hash(idBytes(push.pointee.record))
            remove(slot: push.pointee.slot, hash: hash)
        } else {
            push.pointee.state = .ready
            file(number)
        }
    }

    /// The newer version takes the place of one whose claim has ended.
    mutating func unpark(_ number: UInt32) {
        let slot = near.pointer(number).pointee.slot
        let newer = near.pointer(number).pointee.newer
        near.pointer(number).pointee.newer = NearPush.none
        drop(near: number)
        let place = near.pointer(newer).pointee.record
        near.pointer(newer).pointee.state = .ready
        settleIn(newer, in: slot, account: accountNumber(arena.pointer(place)))
        if header(place).mergeMode != 0, near.pointer(newer).pointee.merge == NearPush.none {
            beginMerge(newer, near.pointer(newer).pointee.accepted, isHead: false)
        }
        file(newer)
    }

    mutating func nextGeneration() -> UInt64 {
        generation += 1
        return generation
    }

    func check(limit: Int) throws(TimelineError) {
        guard 1...PushLimits.batchPushes ~= limit else {
            throw TimelineError(.invalid, "limit: 1 to \(PushLimits.batchPushes) are allowed")
        }
    }

    func checked(_ lease: Duration) throws(TimelineError) -> Int64 {
        guard lease > .zero, lease <= PushLimits.lease else {
            throw TimelineError(.invalid, "lease: above zero, at most \(PushLimits.lease)")
        }
        return max(1, lease.milliseconds)
    }

    /// The due push that goes first, taken out of the queue.
    private mutating func nextReady(_ moment: Moment) throws(TimelineError) -> UInt32? {
        guard let first = try firstReady(moment) else { return nil }
        ready.removeHead(first.band)
        return first.entry.near
    }

    /// The due push that goes first.
    mutating func firstReady(_ moment: Moment) throws(TimelineError) -> ReadyQueue.Ranked? {
        var best: ReadyQueue.Ranked?
        let ageing = max(1, limits.ageing.milliseconds)
        for band in 0..<ReadyQueue.bands {
            try loadDue(band, at: moment)
            guard let head = readyHead(band), postponed(head.due, band) <= moment.now else {
                continue
            }
            let (waited, overflow) = moment.now.subtractingReportingOverflow(head.due)
            let steps = (overflow ? Int64.max : waited) / ageing
            let rank = steps >= Int64(band) ? 0 : Int64(band) - steps
            if let found = best {
                guard rank < found.rank || (rank == found.rank && head < found.entry) else {
                    continue
                }
            }
            best = ReadyQueue.Ranked(entry: head, band: band, rank: rank)
        }
        return best
    }

    /// The first entry of a band whose push has not changed since.
    mutating func readyHead(_ band: Int) -> ReadyQueue.Entry? {
        while let head = ready.head(band) {
            if near.pointer(head.near).pointee.version == head.version { return head }
            ready.removeHead(band)
        }
        return nil
    }

    private mutating func lend(_ number: UInt32, _ lease: Int64, _ moment: Moment) -> Claim {
        stopJoining(number)
        let push = near.pointer(number)
        push.pointee.state = .inFlight
        push.pointee.version = nextVersion()
        push.pointee.generation = nextGeneration()
        push.pointee.leaseEnds = moment.steady + lease
        push.pointee.timer = leases.insert(due: push.pointee.leaseEnds, value: number)
        inFlight += 1
        let sent = self.push(push.pointee.record, due: push.pointee.due)
        return Claim(
            token: ClaimToken(id: sent.id, generation: push.pointee.generation),
            push: sent,
            sequence: push.pointee.sequence,
            attempt: Int(push.pointee.attempt),
            asked: asked(number),
            accepted: Timestamp(milliseconds: push.pointee.accepted),
            leaseEnds: Timestamp(milliseconds: moment.now + lease),
            collected: collected(number)
        )
    }

    /// The due time that a near push was scheduled with, or that its merge gave it. The packed record keeps it; holds and retries move
    /// only ``NearPush/due``.
    func asked(_ number: UInt32) -> Timestamp {
        let push = near.pointer(number).pointee
        let header = header(push.record)
        guard push.merge != NearPush.none else { return Timestamp(milliseconds: header.due) }
        let group = merges[push.merge]
        return header.asked(first: group.first, last: group.last)
    }

    func collected(_ number: UInt32) -> [[UInt8]] {
        let group = near.pointer(number).pointee.merge
        guard group != NearPush.none else { return [] }
        return merges[group].collected.map { push($0, due: 0).payload }
    }
}
