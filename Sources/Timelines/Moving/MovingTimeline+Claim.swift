package import BelfryCore

extension MovingTimeline {
    /// What both offer, in one order (promise T7). What is too much goes back at once, as it was.
    ///
    /// Beside the mover, never in the middle of a step: what is in hand would be missing when it is said what is due next.
    package func claim(limit: Int, lease: Duration, deferring deferral: Deferral?)
        async throws(TimelineError) -> ClaimBatch
    {
        try await gate.shared { () async throws(TimelineError) in
            try await claimBoth(limit, lease, deferral)
        }
    }

    private func claimBoth(_ limit: Int, _ lease: Duration, _ deferral: Deferral?)
        async throws(TimelineError) -> ClaimBatch
    {
        let sides = try sidesForCertain()
        guard let source = sides.source else {
            return try await lent(by: sides.target, limit, lease, deferral)
        }
        var batches: [(side: Side, batch: ClaimBatch)] = []
        var failure: TimelineError?
        for side in [source, sides.target] {
            do throws(TimelineError) {
                batches.append((side, try await lent(by: side, limit, lease, deferral)))
            } catch { failure = error }
        }
        // What one has lent must reach its worker though the other fails.
        guard let now = batches.map(\.batch.now).max() else { throw failure ?? Self.nothing }
        if let failure, batches.allSatisfy(\.batch.claims.isEmpty) { throw failure }
        let order = batches.flatMap { batch in batch.batch.claims }
            .enumerated().sorted { before($0, $1, now) }.map(\.element)
        let surplus = Array(order.dropFirst(limit))
        for (side, _) in batches { await giveBack(surplus, to: side) }
        let next = batches.compactMap(\.batch.nextDue).min()
        return ClaimBatch(
            claims: Array(order.prefix(limit)),
            now: now,
            nextDue: surplus.isEmpty && failure == nil ? next : now
        )
    }

    private static var nothing: TimelineError { TimelineError(.closed, "there is no timeline") }

    private func lent(by side: Side, _ limit: Int, _ lease: Duration, _ deferral: Deferral?)
        async throws(TimelineError) -> ClaimBatch
    {
        var batch = try await side.engine.claim(
            limit: limit,
            lease: lease,
            deferring: deferral
        )
        for index in batch.claims.indices { batch.claims[index].token.side = side.mark }
        return batch
    }

    private func before(
        _ a: (offset: Int, element: Claim),
        _ b: (offset: Int, element: Claim),
        _ now: Timestamp
    ) -> Bool {
        let (first, second) = (rank(a.element, now), rank(b.element, now))
        if first != second { return first < second }
        if a.element.push.due != b.element.push.due {
            return a.element.push.due < b.element.push.due
        }
        // Each came in the order of its timeline.
        return a.offset < b.offset
    }

    /// The band after ageing.
    private func rank(_ claim: Claim, _ now: Timestamp) -> Int64 {
        let waited = max(0, (now - claim.push.due).milliseconds)
        return max(0, Int64(claim.push.priority.rawValue) - waited / max(1, ageing.milliseconds))
    }

    /// Held until they were due: so they are due again, with nothing else changed.
    private func giveBack(_ claims: [Claim], to side: Side) async {
        let mine = claims.filter { $0.token.side == side.mark }
        guard !mine.isEmpty else { return }
        // What cannot be given back is due again when its lease ends.
        _ = try? await side.engine.settle(
            mine.map { Settlement(token: $0.token, result: .hold(until: $0.push.due)) }
        )
    }

    package func extend(_ tokens: [ClaimToken], lease: Duration) async throws(TimelineError)
        -> [ExtendOutcome]
    {
        var outcomes = [ExtendOutcome](repeating: .stale, count: tokens.count)
        for side in sides.all {
            let mine = tokens.indices.filter { tokens[$0].side == side.mark }
            guard !mine.isEmpty else { continue }
            let answers = try await side.engine.extend(mine.map { tokens[$0] }, lease: lease)
            for (index, outcome) in zip(mine, answers) { outcomes[index] = outcome }
        }
        return outcomes
    }
}
