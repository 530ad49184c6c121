package import BelfryCore

extension JournalTimeline {
    package func settle(_ settlements: [Settlement]) async throws(TimelineError)
        -> [SettleOutcome]
    {
        // All of them are checked before any lane hears of one, so that a bad one refuses the whole.
        let drafts = try SettleDraft.list(settlements, at: Moment(clock))
        guard lanes.count > 1, !drafts.isEmpty else {
            return try await lanes.ask { .settle(drafts, $0) }
        }
        let sorted = ByLane(settlements.map(\.token.lane), lanes: lanes.count)
        let answers = Gathering<[SettleOutcome]>(sorted.lanes.count)
        let parts = sorted.lanes.enumerated().map { place, lane in
            (lane, Command.settle(sorted.pick(drafts, lane), answers[place]))
        }
        let successors = Successors(settlements, key: key, lanes: lanes.count)
        let held = probe(successors.others, after: parts)
        let results = await answers.all()
        // What a lane said instead is thrown below, once the others' part is done.
        let outcomes = sorted.ordered(results.map { try? $0.get() }, strangers: .stale)
        _ = try await displace(
            await held.all(),
            successors.others,
            isPlaced: { successors.isPlaced($0, outcomes) },
            id: { successors.ids[$0] }
        )
        _ = try results.values()
        return outcomes.compactMap { $0 }
    }
}

/// The successors of a call that carry ids of their own: they lie in the lane of the claim, whose recipient is theirs too, and their ids may be
/// pending in another. The settled id itself cannot: it was in flight here.
private struct Successors {
    private(set) var others = OtherLanes(count: 0)
    private(set) var ids: [PushID] = []
    /// The settlement of each.
    private var owners: [Int] = []

    init(_ settlements: [Settlement], key: HashKey, lanes: Int) {
        for (number, settlement) in settlements.enumerated() where settlement.token.lane < lanes {
            for push in settlement.successors where push.id != settlement.token.id {
                var text = push.id.text
                let hash = text.withUTF8 { key.hash(UnsafeRawBufferPointer($0)) }
                others.append(hash, lane: settlement.token.lane)
                ids.append(push.id)
                owners.append(number)
            }
        }
    }

    func isPlaced(_ number: Int, _ outcomes: [SettleOutcome?]) -> Bool {
        let outcome = outcomes[owners[number]]
        return outcome == .settled || outcome == .settledParked
    }
}
