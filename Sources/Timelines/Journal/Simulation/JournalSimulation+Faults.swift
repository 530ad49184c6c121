import BelfryCore

/// What goes wrong in a simulated life, and how it goes on afterwards.
extension JournalSimulation {
    mutating func trouble() throws(TimelineError) {
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<4:
            note("the power will go")
            disk.cutPower(at: disk.changes + Int.random(in: 0...12, using: &random))
            try checkpointOrFlush()
        case 4..<6:
            note("a write will fail")
            let error = StorageError(.other, "input/output error")
            disk.fail(at: disk.changes + Int.random(in: 0...6, using: &random), with: error)
            try checkpointOrFlush()
        case 6..<8:
            note("the disk is nearly full")
            try flush()
            disk.setCapacity(disk.used + Int.random(in: 0...4000, using: &random))
        case 8:
            disk.setCapacity(.max)
        default:
            // In a life of its own: afterwards only honesty can be asked for.
            guard seed % 7 == 0, mode == .safety else { return }
            try flush()
            if disk.flipBit(&random) {
                isDamaged = true
                note("a bit flips")
                try reopen()
            }
        }
    }

    private mutating func checkpointOrFlush() throws(TimelineError) {
        if Bool.random(using: &random) {
            try flush()
            guard !lane.checkpointing, !lane.isAdopting else { return }
            try lane.checkpoint(at: moment)
        } else {
            try flush()
        }
    }

    /// A clean stop and start.
    mutating func reopen() throws(TimelineError) {
        try flush()
        note("reopen")
        disk.heal()
        lane.markClosed()
        lane.close()
        try open()
        // What was closed cleanly is whole or damaged, never torn.
        try compare(with: [acknowledged])
    }

    /// The lane has said that it must be opened again.
    mutating func startAgain() throws(SimulationFailure) {
        note("open it again")
        do throws(TimelineError) { try reopenAsIs() } catch {
            guard disk.isOff else { throw failure(error.message) }
            try restart()
        }
    }

    private mutating func reopenAsIs() throws(TimelineError) {
        disk.heal()
        lane.close()
        try open()
        try compare(with: [acknowledged] + since)
    }

    /// The power is back: everything acknowledged is there; of what was not, each call happened or did not, in order.
    mutating func restart() throws(SimulationFailure) {
        disk = disk.afterPowerCut(seed: random.next())
        disk.heal()
        note("restart")
        let candidates = (isDamaged ? lastGroup : []) + [acknowledged] + since
        do throws(TimelineError) {
            try open()
            try compare(with: candidates)
            // What was repaired at this opening must be sound at the next.
            lane.close()
            try open()
            try compare(with: [acknowledged])
        } catch {
            if error.code == .corrupt, isDamaged {
                step = .max - 1
                return
            }
            throw failure("T1, after a power cut: \(error.message)")
        }
    }

    private mutating func open() throws(TimelineError) {
        headroom = 0
        // Tokens of an earlier opening must be stale.
        stale += model.held.values.map(\.token)
        lane = try Lane.open(
            disk,
            limits: limits,
            at: moment,
            generation: lane.generation + UInt64.random(in: 1...1000, using: &random)
        )
    }

    /// What is pending is one of these states; the model goes on from it.
    mutating func compare(with candidates: [[String: SimulationModel.Entry]]) throws(TimelineError)
    {
        var found: [String: (serial: Int, due: Int64, attempt: Int)] = [:]
        let damaged = try damagedNames()
        try expect(isDamaged || damaged.isEmpty, "\(damaged): set aside on a sound disk")
        let candidates = candidates.map { $0.filter { !damaged.contains($0.key) } }
        for name in Self.names where !damaged.contains(name) {
            guard let pending = try lane.find(PushID(name)) else { continue }
            found[name] = (
                Self.serial(pending.push), pending.push.due.milliseconds, pending.attempt
            )
        }
        let match = candidates.last { candidate in
            candidate.count == found.count
                && candidate.allSatisfy { id, entry in
                    found[id].map { $0 == (entry.serial, entry.due, entry.attempt) } ?? false
                }
        }
        guard let match else {
            let newest = candidates.last ?? [:]
            let wrong = Self.names.filter { name in
                found[name].map { $0 } ?? (-1, 0, 0)
                    != newest[name].map { ($0.serial, $0.due, $0.attempt) } ?? (-1, 0, 0)
            }
            let words = wrong.map { name in
                "\(name): \(found[name].map { "\($0)" } ?? "nothing"), not \(newest[name].map { "\($0)" } ?? "nothing")"
            }
            throw TimelineError(
                .invalid,
                "broken: T1: none of \(candidates.count) states; unlike the newest: \(words)"
            )
        }
        model = SimulationModel(pending: SimulationModel.afterRestart(match))
        acknowledged = match
        since = []
    }

    // MARK: Damage

    private mutating func damagedNames() throws(TimelineError) -> Set<String> {
        var damaged: Set<String> = []
        for name in Self.names where try lane.find(PushID(name))?.state == .damaged {
            damaged.insert(name)
        }
        return damaged
    }

    /// What lies in a damaged block is set aside, and a claim lends everything else. Afterwards the life ends: the model knows no such pushes.
    ///
    /// - Returns: whether there is any.
    mutating func judgeDamage() throws(TimelineError) -> Bool {
        let damaged = try damagedNames()
        guard !damaged.isEmpty else { return false }
        note("set aside: \(damaged.sorted())")
        try expect(lane.counts().damaged >= damaged.count, "too few damaged pushes are counted")
        for name in damaged { model.pending[name] = nil }
        try claim()
        return true
    }

    // MARK: Liveness

    /// The faults stop. Whoever looks when the timeline says so must get everything, with no more looks than there are things to do.
    mutating func drain() throws(SimulationFailure) {
        disk.heal()
        disk.cutPower(at: .max)
        do throws(TimelineError) {
            try flush()
            var looks = 0
            let most = 20 * (model.pending.count + model.held.count + 1)
            while let due = lane.nextDue(at: moment)?.milliseconds {
                looks += 1
                try expect(looks <= most, "liveness: still pending after \(looks) looks")
                let wait = max(0, due - now)
                now += wait
                steady += wait
                let claims = try lane.claim(limit: 1000, lease: .seconds(60), at: moment).claims
                for claim in claims {
                    try expect(claim.push.due.milliseconds <= now, "T2: \(claim.push.id) is early")
                }
                let settlements = claims.map { Settlement(token: $0.token, result: .done) }
                let outcomes = try lane.settle(
                    try SettleDraft.list(settlements, at: moment),
                    at: moment
                )
                try expect(!outcomes.contains(.stale), "T4: a fresh token is stale")
            }
            try expect(lane.pending == 0, "liveness: \(lane.pending) are left behind")
            lane.close()
        } catch { throw failure(error.message) }
    }
}
