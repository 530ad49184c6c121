package import BelfryCore

extension MovingTimeline {
    package func schedule(_ batch: PushBatch) async throws(TimelineError) -> [ScheduleOutcome] {
        try await besideMover { () async throws(TimelineError) -> [ScheduleOutcome]? in
            let sides = try sidesForCertain()
            guard let source = sides.source, !sides.isLeaving else {
                return try await sides.target.engine.schedule(batch)
            }
            let pushes = batch.pushes
            guard let isThere = try await belong(pushes, to: source, sides.target) else {
                return nil
            }
            var outcomes = [ScheduleOutcome](repeating: .accepted, count: pushes.count)
            for side in [sides.target, source] {
                let part = pushes.indices.filter { isThere[$0] == (side.mark == source.mark) }
                guard !part.isEmpty else { continue }
                let answers = try await side.engine.schedule(part.map { pushes[$0] })
                for (index, outcome) in zip(part, answers) { outcomes[index] = outcome }
            }
            let new = pushes.indices.filter { isThere[$0] && outcomes[$0] == .accepted }
            let ended = try await end(new.map { pushes[$0].id }, in: sides.target)
            for (index, isEnded) in zip(new, ended) where isEnded { outcomes[index] = .replaced }
            return outcomes
        }
    }

    /// Whether pushes go to the source: because their id is there, or a push that they join. `nil`: what tells is in hand.
    private func belong(_ pushes: [Push], to source: Side, _ target: Side)
        async throws(TimelineError) -> [Bool]?
    {
        var isThere = try await source.engine.find(pushes.map(\.id)).map { $0 != nil }
        let merging = pushes.indices.filter { pushes[$0].merge != nil && !isThere[$0] }
        if !merging.isEmpty {
            let isAwaited = try await source.engine.awaitsJoining(merging.map { pushes[$0] })
            let known = try await target.engine.find(merging.map { pushes[$0].id })
            for (place, index) in merging.enumerated() {
                isThere[index] = isAwaited[place] && known[place] == nil
            }
        }
        let others = pushes.indices.filter { !isThere[$0] }.map { pushes[$0] }
        let isHeld = try await isInHand(
            others.map(\.id),
            mergingWith: others.filter { $0.merge != nil }
        )
        return isHeld ? nil : isThere
    }

    /// Ends older versions in another timeline: of what was moved there between a look and a call, or is a successor's.
    private func end(_ ids: [PushID], in side: Side) async throws(TimelineError) -> [Bool] {
        guard !ids.isEmpty else { return [] }
        return try await side.engine.cancel(ids).map { $0 != .gone }
    }

    package func cancel(_ ids: [PushID]) async throws(TimelineError) -> [CancelOutcome] {
        var outcomes = [CancelOutcome](repeating: .gone, count: ids.count)
        // What was ended in the source does not wait for the rest, nor is it forgotten when that is tried again.
        return try await besideMover { () async throws(TimelineError) -> [CancelOutcome]? in
            let sides = try sidesForCertain()
            guard let source = sides.source else {
                outcomes = Self.both(outcomes, try await sides.target.engine.cancel(ids))
                return outcomes
            }
            outcomes = Self.both(outcomes, try await source.engine.cancel(ids))
            try await strike(ids.indices.filter { outcomes[$0] != .gone }.map { ids[$0] })
            let rest = ids.indices.filter { outcomes[$0] == .gone }.map { ids[$0] }
            if try await isInHand(rest) { return nil }
            return Self.both(outcomes, try await sides.target.engine.cancel(ids))
        }
    }

    private static func both(_ first: [CancelOutcome], _ second: [CancelOutcome])
        -> [CancelOutcome]
    {
        zip(first, second).map { $0.and($1) }
    }

    package func settle(_ settlements: [Settlement]) async throws(TimelineError)
        -> [SettleOutcome]
    {
        let sides = sides
        guard sides.source != nil else {
            return try await part(settlements, of: sides.target, in: sides)
        }
        var outcomes = [SettleOutcome](repeating: .stale, count: settlements.count)
        for side in sides.all {
            let mine = settlements.indices.filter { settlements[$0].token.side == side.mark }
            guard !mine.isEmpty else { continue }
            let answers = try await part(mine.map { settlements[$0] }, of: side, in: sides)
            for (index, outcome) in zip(mine, answers) { outcomes[index] = outcome }
        }
        return outcomes
    }

    /// Settles in one timeline; a token of another is stale there.
    private func part(_ settlements: [Settlement], of side: Side, in sides: Sides)
        async throws(TimelineError) -> [SettleOutcome]
    {
        var outcomes = [SettleOutcome](repeating: .stale, count: settlements.count)
        let mine = settlements.indices.filter { settlements[$0].token.side == side.mark }
        let answers = try await side.engine.settle(mine.map { settlements[$0] })
        for (index, outcome) in zip(mine, answers) { outcomes[index] = outcome }
        guard let other = sides.other(than: side.mark) else { return outcomes }
        let ended = settlements.indices.filter { outcomes[$0] != .stale }
        try await strike(ended.map { settlements[$0].token.id })
        let begun = ended.filter { outcomes[$0] != .settledCancelled }.flatMap { index in
            settlements[index].successors.map(\.id).filter { $0 != settlements[index].token.id }
        }
        guard !begun.isEmpty else { return outcomes }
        _ = try await besideMover { () async throws(TimelineError) -> [Bool]? in
            if try await isInHand(begun) { return nil }
            return try await end(begun, in: other)
        }
        return outcomes
    }
}
