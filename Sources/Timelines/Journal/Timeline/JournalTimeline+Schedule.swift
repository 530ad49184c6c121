package import BelfryCore

/// Accepting and ending pushes by id.
///
/// An id lies in the lane of its recipient, and is told to no other lane. So that an id which is pending for another recipient is replaced all the
/// same (promise T6), every lane is asked whether it holds one of the ids that a call places elsewhere: a look into an index that is
/// mostly in vain, some 40 ns for each id and lane. The alternatives cost more: a directory of all ids beside the lanes would need memory for
/// each pending push and a lock or a thread of its own. What is held elsewhere is cancelled there, but only after the newer version is durable: a
/// crash between leaves both, and the call unanswered.
///
/// All lanes hear of calls in the same order (``LaneSet``). So of two calls that place one id in two lanes at the same time, the later finds what the
/// earlier has placed, and not the other way round; and since it ends only what was there when it was asked, no call ends what is newer.
extension JournalTimeline {
    package func schedule(_ batch: PushBatch) async throws(TimelineError) -> [ScheduleOutcome] {
        guard lanes.count > 1, !batch.isEmpty else {
            let call = ScheduleCall(batch, key: key)
            return try await lanes.ask { .schedule(call, $0) }
        }
        let split = SplitBatch(batch, key: key, lanes: lanes.count)
        let answers = Gathering<[ScheduleOutcome]>(lanes.count)
        let parts = split.parts.enumerated().compactMap { lane, part -> (Int, Command)? in
            if let part { return (lane, .schedule(part, answers[lane])) }
            answers.put(.success([]), at: lane)
            return nil
        }
        let held = probe(split.others, after: parts)
        let results = await answers.all()
        // Where a part was refused, the others stand; why it was is thrown below.
        let outcomes = split.ordered(results.map { try? $0.get() })
        let replaced = try await displace(
            await held.all(),
            split.others,
            isPlaced: { outcomes[$0].map { $0 != .refusedTooFar } ?? false },
            id: { batch.id($0) }
        )
        _ = try results.values()
        return outcomes.enumerated().compactMap { number, outcome in
            outcome == .accepted && replaced.contains(number) ? .replaced : outcome
        }
    }

    package func cancel(_ ids: [PushID]) async throws(TimelineError) -> [CancelOutcome] {
        let outcomes = try await lanes.askAll { .cancel(ids, $0) }.values()
        return ids.indices.map { id in outcomes.map { $0[id] }.reduce(.gone) { $0.and($1) } }
    }

    /// Tells the lanes `commands`, and asks each whether it holds ids that another has just been told to place.
    func probe(_ others: OtherLanes, after commands: [(Int, Command)])
        -> Gathering<HeldElsewhere>
    {
        let held = Gathering<HeldElsewhere>(lanes.count)
        var commands: [(lane: Int, command: Command)] = commands
        for lane in 0..<lanes.count {
            if others.concerns(lane) {
                commands.append((lane, .probe(others, held[lane])))
            } else {
                held.put(.success(HeldElsewhere()), at: lane)
            }
        }
        lanes.tell(commands)
        return held
    }

    /// Ends older versions of ids that were placed in another lane.
    ///
    /// - Parameters:
    ///   - held: what each lane said to the probe.
    ///   - isPlaced: whether an id of the call was accepted.
    /// - Returns: the ids of which an older version has ended.
    func displace(
        _ held: [Result<HeldElsewhere, TimelineError>],
        _ others: OtherLanes,
        isPlaced: (Int) -> Bool,
        id: (Int) -> PushID
    ) async throws(TimelineError) -> Set<Int> {
        let held = try held.values()
        guard held.contains(where: { !$0.ids.isEmpty }) else { return [] }
        // An id may be in the call twice, for two recipients: the last one counts.
        var last: [PushHash: Int] = [:]
        for (number, hash) in others.hashes.enumerated() where isPlaced(number) {
            last[hash] = number
        }
        var replaced: Set<Int> = []
        for (lane, held) in held.enumerated() {
            let newer = Set(held.ids.compactMap { last[others.hashes[$0]] })
                .filter { Int(others.lanes[$0]) != lane }.sorted()
            guard !newer.isEmpty else { continue }
            let ended = Gathering<[CancelOutcome]>(1)
            let ids = newer.map(id)
            await displacing.pass { lanes.tell([(lane, .displace(ids, held, ended[0]))]) }
            let outcomes = try await ended.all().values()[0]
            replaced.formUnion(zip(newer, outcomes).filter { $0.1 != .gone }.map(\.0))
        }
        return replaced
    }
}

extension PushBatch {
    fileprivate func id(_ number: Int) -> PushID {
        var found: PushID?
        var next = 0
        SplitBatch.forEach(in: self) { record, _ in
            if next == number {
                let header = record.loadUnaligned(as: PushHeader.self)
                found = PushID(String(decoding: header.id(of: record), as: UTF8.self))
            }
            next += 1
        }
        guard let found else { preconditionFailure("the batch has no push \(number)") }
        return found
    }
}
