import BelfryCore

/// What a timeline with a whole memory and no disk would do: the judge of the simulation. It shares nothing with the engine.
struct SimulationModel {
    struct Entry: Equatable {
        /// Stands for the payload.
        var serial: Int
        var due: Int64
        var attempt = 0
        var band: Int
        /// Place in the order of acceptance.
        var order: Int
        var merge: SimulationMerge?
    }

    struct Held {
        var token: ClaimToken
        /// By the monotonic clock.
        var leaseEnds: Int64
        var entry: Entry
        var isCancelled = false
        var newer: Entry?
    }

    var pending: [String: Entry] = [:]
    var held: [String: Held] = [:]

    /// What a crash leaves: claims end with the process.
    var durable: [String: Entry] {
        var left = pending
        for (id, held) in held {
            left[id] = held.newer ?? (held.isCancelled ? nil : held.entry)
        }
        return left
    }

    /// Leases that have ended give their push back (T3), in its newest version (T6).
    mutating func advance(steady: Int64) {
        for (id, held) in held where held.leaseEnds <= steady {
            self.held[id] = nil
            if let next = held.newer ?? (held.isCancelled ? nil : held.entry) { pending[id] = next }
        }
    }

    /// - Parameter said: what the timeline answered; it decides only whether a group that may be open is.
    mutating func schedule(_ id: String, _ entry: Entry, at now: Int64, _ said: ScheduleOutcome?)
        -> ScheduleOutcome
    {
        var alone = Self.alone(entry, at: now)
        if let held = held[id] {
            self.held[id]?.newer = alone
            return held.newer == nil ? .parked : .parkedReplaced
        }
        let outcome: ScheduleOutcome = pending[id] == nil ? .accepted : .replaced
        if outcome == .accepted, let key = entry.merge?.key, let head = head(key),
            let group = joined(head, entry, at: now),
            pending[head]?.merge?.joinable == .yes || said == .merged
        {
            closeGroups(key)
            pending[head] = group
            return .merged
        }
        if let key = entry.merge?.key { closeGroups(key) }
        alone.merge?.joinable = .yes
        pending[id] = alone
        return outcome
    }

    mutating func cancel(_ id: String) -> CancelOutcome {
        if let held = held[id] {
            self.held[id]?.isCancelled = true
            self.held[id]?.newer = nil
            return held.newer == nil ? .inFlight : .inFlightParked
        }
        return pending.removeValue(forKey: id) == nil ? .gone : .cancelled
    }

    /// What is to be claimed, in order (T2, T7).
    func due(at now: Int64, ageing: Int64, deferring deferral: Deferral?) -> [String] {
        func rank(_ entry: Entry) -> Int64 {
            max(0, Int64(entry.band) - (now - entry.due) / ageing)
        }
        let due = pending.filter { $0.value.due + delay($0.value, deferral) <= now }
        return due.sorted { a, b in
            let ranks = (rank(a.value), rank(b.value))
            if ranks.0 != ranks.1 { return ranks.0 < ranks.1 }
            if a.value.due != b.value.due { return a.value.due < b.value.due }
            return a.value.order < b.value.order
        }.map(\.key)
    }

    private func delay(_ entry: Entry, _ deferral: Deferral?) -> Int64 {
        deferral?.delay(ofBand: Int(entry.band)) ?? 0
    }

    /// When something will be due for such a claim, or a lease ends.
    func next(now: Int64, steady: Int64, deferring deferral: Deferral?) -> Int64? {
        let leases = held.values.map { now + ($0.leaseEnds - steady) }
        return (pending.values.map { $0.due + delay($0, deferral) } + leases).min()
    }

    mutating func claim(_ id: String, _ token: ClaimToken, leaseEnds: Int64) {
        guard var entry = pending.removeValue(forKey: id) else { return }
        entry.merge?.joinable = .no
        held[id] = Held(token: token, leaseEnds: leaseEnds, entry: entry)
    }

    /// Ends a claim (T4, T5, T6, T13).
    mutating func settle(
        _ token: ClaimToken,
        again: (due: Int64, attempts: Int)?,
        successors: [(id: String, entry: Entry)],
        at now: Int64
    ) -> SettleOutcome {
        let id = token.id.text
        guard let claim = held[id], claim.token == token else { return .stale }
        held[id] = nil
        if let newer = claim.newer {
            pending[id] = newer
            guard !claim.isCancelled else { return .settledParked }
            for next in successors where next.id != id {
                _ = schedule(next.id, next.entry, at: now, nil)
            }
            return .settledParked
        }
        if claim.isCancelled { return .settledCancelled }
        if let again {
            var entry = claim.entry
            entry.due = again.due
            entry.attempt += again.attempts
            pending[id] = entry
        }
        for next in successors { _ = schedule(next.id, next.entry, at: now, nil) }
        return .settled
    }

    mutating func extend(_ token: ClaimToken, leaseEnds: Int64) -> ExtendOutcome {
        guard let claim = held[token.id.text], claim.token == token else { return .stale }
        held[token.id.text]?.leaseEnds = leaseEnds
        return claim.isCancelled || claim.newer != nil ? .extendedSuperseded : .extended
    }
}
