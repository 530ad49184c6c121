import BelfryCore

/// What happens in a simulated life.
extension JournalSimulation {
    mutating func act() throws(TimelineError) {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<30: try schedule()
        case 30..<38: try cancel()
        case 38..<56: try claim()
        case 56..<70: try settle()
        case 70..<74: try extend()
        case 74..<82: passTime()
        case 82..<90: try flush()
        case 90..<94: try checkpoint()
        case 94..<96: try reopen()
        default: try trouble()
        }
    }

    private mutating func pick(_ numbers: [Int64]) -> Int64 {
        numbers.randomElement(using: &random) ?? 0
    }

    private mutating func passTime() {
        let most = pick([50, 5000, 100_000, 5_000_000])
        let span = Int64.random(in: 0...most, using: &random)
        now += span
        steady += span
        // T10: the wall clock jumps an hour either way, the other does not.
        if Int.random(in: 0..<6, using: &random) == 0 {
            now += Int64.random(in: -3_600_000...3_600_000, using: &random)
        }
        note("time: \(now), steady \(steady)")
    }

    private mutating func randomPush(_ name: String, for recipient: Recipient? = nil)
        -> (push: Push, entry: SimulationModel.Entry)
    {
        serial += 1
        let reach = pick([5, 60, 400, 5000, 500_000, 50_000_000])
        let due = now + 1000 * Int64.random(in: -5...reach, using: &random)
        let band = Priority.allCases.randomElement(using: &random) ?? .normal
        let padding = String(repeating: " ", count: Int.random(in: 0...60, using: &random))
        var push = Push(
            id: PushID(name),
            recipient: recipient ?? Recipient(account: "a\(serial % 3)", person: "o"),
            due: Timestamp(milliseconds: due),
            priority: band,
            channel: "log",
            payload: Array((String(serial) + padding).utf8)
        )
        var entry = SimulationModel.Entry(
            serial: serial,
            due: due,
            band: Int(band.rawValue),
            order: serial
        )
        if Int.random(in: 0..<3, using: &random) == 0 { mayMerge(&push, &entry) }
        return (push, entry)
    }

    /// T8: gives a push a merge rule, unless the model could not tell what comes of it.
    private mutating func mayMerge(_ push: inout Push, _ entry: inout SimulationModel.Entry) {
        let rule = MergeRule(
            key: "k\(Int.random(in: 0..<2, using: &random))",
            grace: .milliseconds(pick([0, 500, 30_000, 4_000_000])),
            maxWait: .milliseconds(pick([0, 5000, 600_000, 900_000_000])),
            mode: Bool.random(using: &random) ? .newest : .collect
        )
        let key = "\(push.recipient.account)|\(rule.key)"
        guard !model.isAmbiguous(key) else { return }
        push.merge = rule
        entry.merge = SimulationMerge(
            key: key,
            collects: rule.mode == .collect,
            grace: rule.grace.milliseconds,
            maxWait: rule.maxWait.milliseconds
        )
    }

    private mutating func randomName() -> String { Self.names.randomElement(using: &random) ?? "" }

    /// A call has changed something that only a flush makes durable.
    private mutating func changed() { since.append(model.durable) }

    private static func words(_ push: Push) -> String {
        let merge = push.merge.map { " \($0.mode) \(push.recipient.account)|\($0.key)" } ?? ""
        return "\(push.id)=\(serial(push))@\(push.due.milliseconds)\(merge)"
    }

    // MARK: Calls

    private mutating func schedule() throws(TimelineError) {
        var pushes: [Push] = []
        var next = model
        next.advance(steady: steady)
        var entries: [SimulationModel.Entry?] = []
        for _ in 0..<Int.random(in: 1...6, using: &random) {
            var (push, entry) = randomPush(randomName())
            let isTooFar = Int.random(in: 0..<40, using: &random) == 0
            if isTooFar {
                push.due = Timestamp(milliseconds: now) + PushLimits.horizon + .seconds(1)
            }
            entries.append(isTooFar ? nil : entry)
            pushes.append(push)
        }
        note("schedule \(pushes.map(Self.words))")
        let batch: PushBatch
        do { batch = try PushBatch(pushes) } catch { throw TimelineError(.invalid, "\(error)") }
        let outcomes = try lane.schedule(ScheduleCall(batch, key: lane.key), at: moment)
        headroom = limits.headroomBytes
        var wanted: [ScheduleOutcome] = []
        for (push, (entry, said)) in zip(pushes, zip(entries, outcomes)) {
            wanted.append(
                entry.map { next.schedule(push.id.text, $0, at: now, said) } ?? .refusedTooFar
            )
        }
        // A group that cannot be read is joined no more; whatever was said, nobody hears it.
        if disk.isOff { throw TimelineError(.io, "the power is gone") }
        let groups = model.pending.filter { $0.value.merge != nil }.map {
            "\($0.key): \($0.value.merge?.key ?? "") \($0.value.merge?.joinable ?? .no)"
        }
        try expect(
            outcomes == wanted,
            "T6, T8: scheduling said \(outcomes), not \(wanted); groups: \(groups.sorted())"
        )
        model = next
        changed()
    }

    private mutating func cancel() throws(TimelineError) {
        let names = (0..<Int.random(in: 1...3, using: &random)).map { _ in randomName() }
        var next = model
        next.advance(steady: steady)
        var wanted: [CancelOutcome] = []
        for name in names { wanted.append(next.cancel(name)) }
        note("cancel \(names)")
        let moment = moment
        let outcomes = try ends(200) { (lane) throws(TimelineError) in
            try lane.cancel(names.map { PushID($0) }, at: moment)
        }
        try expect(outcomes == wanted, "T5: cancelling said \(outcomes), not \(wanted)")
        model = next
        changed()
    }

    mutating func claim() throws(TimelineError) {
        let limit = Int.random(in: 1...30, using: &random)
        let lease = Int64.random(in: 1...200, using: &random) * 1000
        let deferral =
            Int.random(in: 0..<4, using: &random) > 0
            ? nil
            : Deferral(
                from: Priority.allCases.randomElement(using: &random) ?? .low,
                longest: .milliseconds(Int64.random(in: 1...100_000, using: &random))
            )
        let call = ClaimCall(limit: limit, lease: .milliseconds(lease), deferral: deferral)
        let batch = try lane.claim(call, at: moment)
        model.advance(steady: steady)
        note("claim \(batch.claims.map { "\($0.push.id)" })")
        let wanted = model.due(
            at: now,
            ageing: limits.ageing.milliseconds,
            deferring: deferral
        ).prefix(limit)
        for claim in batch.claims {
            let id = claim.push.id.text
            try expect(claim.push.due.milliseconds <= now, "T2: \(id) is early")
            try expect(model.held[id] == nil, "T4: \(id) is held twice")
            let entry = model.pending[id]
            try expect(entry?.serial == Self.serial(claim.push), "T6: \(id) in the wrong version")
            try expect(entry?.attempt == claim.attempt, "T3: \(id) in the wrong attempt")
            let collected = claim.collected.map(Self.serial)
            try expect(
                collected == entry?.merge?.collected ?? [],
                "T8: \(id) has collected \(collected)"
            )
        }
        let claimed = batch.claims.map(\.push.id.text)
        // What cannot be read any more comes after the restart.
        let isCutShort = disk.isOff && wanted.starts(with: claimed)
        try expect(
            claimed == Array(wanted) || isCutShort,
            "T7: claimed \(claimed), not \(Array(wanted))"
        )
        for claim in batch.claims {
            model.claim(claim.push.id.text, claim.token, leaseEnds: steady + lease)
        }
    }

    private mutating func randomTokens() -> [ClaimToken] {
        let ids = model.held.keys.sorted().shuffled(using: &random).prefix(3)
        var tokens = ids.compactMap { model.held[$0]?.token }
        if let old = stale.randomElement(using: &random) { tokens.append(old) }
        return tokens
    }

    private mutating func settle() throws(TimelineError) {
        var next = model
        next.advance(steady: steady)
        var settlements: [Settlement] = []
        var wanted: [SettleOutcome] = []
        for token in randomTokens() {
            var settlement = Settlement(token: token, result: .done)
            let most = pick([10, 5000, 9_000_000])
            let later = now + 1000 * Int64.random(in: 0...most, using: &random)
            var again: (due: Int64, attempts: Int)?
            switch Int.random(in: 0..<5, using: &random) {
            case 0:
                settlement.result = .retry(at: Timestamp(milliseconds: later))
                again = (later, 1)
            case 1:
                settlement.result = .hold(until: Timestamp(milliseconds: later))
                again = (later, 0)
            case 2: settlement.result = .dead
            default: break
            }
            var successors: [(id: String, entry: SimulationModel.Entry)] = []
            for _ in 0..<Int.random(in: 0...2, using: &random) {
                // T13: the next step mostly carries the same id.
                let name = Bool.random(using: &random) ? token.id.text : randomName()
                let one = Recipient(account: "a0", person: "o")
                var (push, entry) = randomPush(name, for: one)
                // What becomes of a successor is not told: whether it joins must be sure.
                if let key = entry.merge?.key, !model.isSure(key) {
                    push.merge = nil
                    entry.merge = nil
                }
                settlement.successors.append(push)
                successors.append((name, entry))
            }
            settlements.append(settlement)
            wanted.append(next.settle(token, again: again, successors: successors, at: now))
        }
        note(
            "settle \(settlements.map { "\($0.token.id) \($0.result) \($0.successors.map(Self.words))" })"
        )
        let moment = moment
        let drafts = try SettleDraft.list(settlements, at: moment)
        let outcomes = try ends(2500) { (lane) throws(TimelineError) in
            try lane.settle(drafts, at: moment)
        }
        if disk.isOff { throw TimelineError(.io, "the power is gone") }
        try expect(outcomes == wanted, "T4: settling said \(outcomes), not \(wanted)")
        stale += settlements.map(\.token)
        model = next
        changed()
    }

    private mutating func extend() throws(TimelineError) {
        let tokens = randomTokens()
        let lease = Int64.random(in: 1...200, using: &random) * 1000
        model.advance(steady: steady)
        var wanted: [ExtendOutcome] = []
        for token in tokens { wanted.append(model.extend(token, leaseEnds: steady + lease)) }
        note("extend \(tokens.map(\.id))")
        let outcomes = try lane.extend(tokens, lease: .milliseconds(lease), at: moment)
        try expect(outcomes == wanted, "T4: extending said \(outcomes), not \(wanted)")
    }

    // MARK: The disk

    /// Writes what was decided, as a lane's thread does before it answers.
    mutating func flush() throws(TimelineError) {
        let group = lane.takeGroup()
        note("flush \(group.frames.count) frames")
        do throws(StorageError) { try group.write(to: disk) } catch {
            lane.finishGroup()
            note("it failed: \(error)")
            guard !disk.isOff else { throw TimelineError(error) }
            try undo(group)
            return
        }
        lane.finishGroup()
        lane.closeRetired()
        if !group.frames.isEmpty { lastGroup = [acknowledged] + since }
        acknowledged = model.durable
        since = []
    }

    /// T1: of a group that failed nothing is true.
    private mutating func undo(_ group: WriteGroup) throws(TimelineError) {
        disk.heal()
        headroom = 0
        try lane.undo(group, at: moment)
        try compare(with: [acknowledged])
    }

    private mutating func checkpoint() throws(TimelineError) {
        try flush()
        guard !lane.checkpointing, !lane.isAdopting, !lane.hasFrames else { return }
        note("checkpoint")
        let plan = try lane.beginCheckpoint(at: moment)
        headroom = 0
        let calls = history.count
        // Calls go on while it is written, and while it is taken note of.
        try live(Int.random(in: 0...3, using: &random))
        let result = plan.write(to: disk)
        if disk.isOff { throw TimelineError(.io, "the power is gone") }
        note("checkpoint written: \(result.error.map { "\($0)" } ?? "well")")
        try live(Int.random(in: 0...2, using: &random))
        lane.endCheckpoint(result, at: moment)
        while lane.isAdopting {
            lane.adoptSome(at: moment)
            for file in lane.takeNameless() { lane.disk.close(file) }
            try live(Int.random(in: 0...1, using: &random))
        }
        if result.error == nil, history.count == calls + 1 { try checkMemory() }
    }

    /// T9: after a checkpoint, of what is due later only neighbours of what was read from a run are in memory: parts of a block.
    private func checkMemory() throws(TimelineError) {
        let far = now + limits.nearWindow.milliseconds
        for (id, entry) in model.pending where entry.due > far {
            guard let slot = lane.slot(of: lane.hash(PushID(id))) else { continue }
            let place = lane.slots.pointer(slot).pointee
            let isKept = place.isNear && lane.near.pointer(place.ordinal).pointee.homeRun == 0
            try expect(!isKept, "T9: \(id), due at \(entry.due), is in memory alone")
        }
    }

    /// T11: a full disk refuses what grows, and takes what ends pushes as long as the room kept for that lasts.
    private mutating func ends<Value>(
        _ bytes: Int,
        _ call: (inout Lane<SimulatedDisk>) throws(TimelineError) -> Value
    ) throws(TimelineError) -> Value {
        let end = lane.journal.end
        defer { headroom -= lane.journal.end - end }
        do throws(TimelineError) { return try call(&lane) } catch {
            try expect(
                error.code != .full || bytes > headroom,
                "T11: refused with \(headroom) bytes of room left: \(error.message)"
            )
            throw error
        }
    }

    private mutating func live(_ calls: Int) throws(TimelineError) {
        for _ in 0..<calls {
            switch Int.random(in: 0..<4, using: &random) {
            case 0: try schedule()
            case 1: try cancel()
            case 2: try claim()
            default: try settle()
            }
        }
    }
}
