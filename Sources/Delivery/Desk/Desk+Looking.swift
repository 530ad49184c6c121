import BelfryCore

/// What one look at the timeline may bring.
struct Look: Equatable {
    /// The most pushes; above zero.
    var limit: Int
    /// Bands that are left where they are.
    var deferral: Deferral?
    /// Only for high bands, because the desk is nearly full.
    var isNarrow = false
    /// While capacity is short: a few of what is deferred, for what the others leave free.
    var isTrickle = false
}

extension Desk {
    /// What may be claimed now; `nil` while it is not worth a hop. Whoever is refused is to be rung for when that changes.
    mutating func claim() -> Look? {
        refuse()
        lastLook = nextLook
        isImpatient = false
        return lastLook
    }

    /// Whether it is worth a hop to claim something; whoever is refused is to be rung for.
    var mayLook: Bool {
        mutating get {
            refuse()
            return !isBlocked && !isBeyondReach
        }
    }

    /// Notes why nothing may be claimed now, if so.
    private mutating func refuse() {
        isBlocked = look == nil
        isBeyondReach = !isBlocked && nextLook == nil
        if isBeyondReach { isRushed = true }
    }

    /// Whether a claimer that was refused, or was left to claim high bands only, may be rung for now.
    var mayUnblock: Bool {
        guard let look = nextLook else { return false }
        return isBlocked || isBeyondReach || (isNarrow && !look.isNarrow)
    }

    private var isNarrow: Bool { lastLook?.isNarrow ?? false }

    /// What there is room for, as far as it is within reach.
    private var nextLook: Look? {
        guard let reach, var within = look else { return look }
        let worthwhile = reach.pushes / 4
        let open = isImpatient ? max(worthwhile, Reach.least) : reach.pushes - held
        guard open >= worthwhile else { return nil }
        within.limit = min(within.limit, open)
        return within
    }

    /// What is here on its way to a settlement. A call for each message takes the time that it takes, and what waits for a limit of its account goes as fast as
    /// that lets it: neither says that others could send more. What is being settled waits for the timeline alone.
    private var held: Int {
        let limited = busy.reduce(0) { $0 + (lanes[$1].isLimited ? lanes[$1].waiting : 0) }
        return inFlight - (sending - sendingTogether) - limited - settling
    }

    /// The last eighth of the desk is for urgent and high pushes: however many others wait here, those are let in.
    private var look: Look? {
        guard !isStopping, pauseAll == nil, failure == nil,
            unrecorded.count < settings.recordBacklog
        else { return nil }
        let free = settings.capacity - inFlight
        let open = free - settings.capacity / 8
        let worthwhile = min(settings.claimBatch, max(1, settings.capacity / 4))
        guard open >= worthwhile else {
            let isWorthIt = free >= max(1, min(settings.claimBatch, settings.capacity / 16))
            guard isWorthIt else { return nil }
            return Look(
                limit: min(free, settings.claimBatch),
                deferral: Deferral(from: .normal, longest: settings.overload.longest),
                isNarrow: true
            )
        }
        let limit = min(open, settings.claimBatch)
        guard let overload = scarcity.overload else { return Look(limit: limit) }
        let room = trickleRoom - waitingDeferred
        // After a few of what is deferred, whatever else is due.
        guard room > 0, !(isDeferredDue && lastLook?.isTrickle == true) else {
            return Look(limit: limit, deferral: overload.deferral)
        }
        return Look(limit: min(room, limit), isTrickle: true)
    }

    // MARK: Trickle

    /// How much of what is deferred may wait here: enough to use whatever becomes free.
    private var trickleRoom: Int { max(1, settings.sends / 4) }

    private var waitingDeferred: Int {
        guard let from = scarcity.overload?.from else { return 0 }
        return busy.reduce(0) { sum, lane in
            (Int(from.rawValue)..<Self.bands).reduce(sum) { $0 + lanes[lane].waiting(in: $1) }
        }
    }

    /// Whether it is worth a look to claim some more of what is deferred.
    var mayTrickle: Bool {
        isDeferredDue && waitingDeferred <= trickleRoom / 2 && nextLook?.isTrickle == true
    }

    /// Takes note of what a look has brought.
    mutating func looked(_ look: Look, _ batch: ClaimBatch) {
        inFlight += batch.claims.count
        if batch.claims.count < look.limit { isRushed = false }
        nextDue = batch.nextDue
        if look.deferral == nil {
            isDeferredDue = batch.nextDue.map { $0 <= batch.now } ?? false
        }
        guard let highest = settings.overload.highest else { return }
        if batch.claims.contains(where: { $0.push.priority < highest }) { neededAt = batch.now }
    }

    // MARK: Scarcity

    /// Somebody is to be protected where a push of a higher band has come within this time.
    private static var needed: Duration { .minutes(1) }

    func isNeeded(_ now: Timestamp) -> Bool { now - neededAt <= Self.needed }

    /// Whether it is worth while to look at how busy everything is: always but in quiet times.
    func isWatched(_ now: Timestamp) -> Bool {
        if scarcity.overload != nil { return true }
        guard settings.overload.highest != nil else { return false }
        return isSaturated(now) || (scarcity.capacity != nil && inFlight > 0)
    }

    /// Something waits, and not for a limit of its account: all of its band that can be under way is, or the desk is full.
    private func isSaturated(_ now: Timestamp) -> Bool {
        guard !isStopping, pauseAll == nil else { return false }
        if isBlocked || isNarrow || isRushed { return true }
        return rings.indices.contains { band in
            slots(for: band, now) == 0 && rings[band].contains { lanes[$0].waiting(in: band) > 0 }
        }
    }

    func reading(now: Timestamp, steady: Int64, ahead: (count: Int, within: Duration)?)
        -> Scarcity.Reading
    {
        Scarcity.Reading(
            now: now,
            steady: steady,
            completed: completed,
            isSaturated: isSaturated(now),
            lag: lag(now),
            isNeeded: isNeeded(now),
            isCaughtUp: !isDeferredDue && waitingDeferred <= trickleRoom / 2,
            ahead: ahead
        )
    }

    /// Of the bands that may not be deferred: how late what has waited here longest is.
    private func lag(_ now: Timestamp) -> Duration {
        let bands = 0..<Int((settings.overload.highest ?? .low).rawValue)
        let oldest = bands.lazy.flatMap { band in
            rings[band].lazy.compactMap { lanes[$0].due(in: band) }
        }.min()
        return oldest.map { max(.zero, now - $0) } ?? .zero
    }
}
