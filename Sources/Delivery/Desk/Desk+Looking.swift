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
        lastLook = nextLook
        isBlocked = lastLook == nil
        return lastLook
    }

    /// Whether it is worth a hop to claim something; whoever is refused is to be rung for.
    var mayLook: Bool {
        mutating get {
            isBlocked = nextLook == nil
            return !isBlocked
        }
    }

    /// Whether a claimer that was refused, or was left to claim high bands only, may be rung for now.
    var mayUnblock: Bool {
        guard let look = nextLook else { return false }
        return isBlocked || (isNarrow && !look.isNarrow)
    }

    private var isNarrow: Bool { lastLook?.isNarrow ?? false }

    /// The last eighth of the desk is for urgent and high pushes: however many others wait here, those are let in.
    private var nextLook: Look? {
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
        if isBlocked || isNarrow { return true }
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
