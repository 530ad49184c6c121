package import BelfryCore

/// Lending due pushes and taking them back.
extension JournalTimeline {
    /// Of several lanes, each says what it could lend, and is then asked for its share of what goes first: two trips. Where by the board only one has
    /// anything due, that one lends at once while the others are asked.
    package func claim(limit: Int, lease: Duration, deferring deferral: Deferral?)
        async throws(TimelineError) -> ClaimBatch
    {
        let call = ClaimCall(limit: limit, lease: lease, deferral: deferral)
        guard lanes.count > 1 else { return try await lanes.ask { .claim(call, $0) } }
        let due = board.lanes(dueBy: clock.now())
        var sum = ClaimSum(lanes: lanes.count)
        if due.count == 1 {
            await ask(due[0], call, &sum)
        } else {
            for (lane, offer) in await lanes.askAll({ .offer(call, $0) }).enumerated() {
                sum.take(offer, of: lane)
            }
        }
        let order = sum.order(upTo: limit - sum.claims.count)
        let shares = order.reduce(into: [Int: Int]()) { $0[$1, default: 0] += 1 }
            .sorted { $0.key < $1.key }
        let lent = Gathering<ClaimBatch>(shares.count)
        if !shares.isEmpty {
            lanes.tell(
                shares.enumerated().map { place, share in
                    (share.key, .claim(call.upTo(share.value), lent[place]))
                }
            )
            for (share, batch) in zip(shares, await lent.all()) { sum.take(batch, of: share.key) }
        }
        return try sum.batch(in: order)
    }

    /// Lets one lane lend while the others are asked.
    private func ask(_ lane: Int, _ call: ClaimCall, _ sum: inout ClaimSum) async {
        let others = (0..<lanes.count).filter { $0 != lane }
        let lent = Gathering<ClaimBatch>(1)
        let offers = Gathering<ClaimOffer>(others.count)
        var commands: [(lane: Int, command: Command)] = []
        commands.append((lane, .claim(call, lent[0])))
        for (place, other) in others.enumerated() {
            commands.append((other, .offer(call, offers[place])))
        }
        lanes.tell(commands)
        for (other, offer) in zip(others, await offers.all()) { sum.take(offer, of: other) }
        sum.takeFirst(await lent.all()[0], of: lane)
    }

    package func extend(_ tokens: [ClaimToken], lease: Duration) async throws(TimelineError)
        -> [ExtendOutcome]
    {
        guard lanes.count > 1, !tokens.isEmpty else {
            return try await lanes.ask { .extend(tokens, lease: lease, $0) }
        }
        let sorted = ByLane(tokens.map(\.lane), lanes: lanes.count)
        let answers = Gathering<[ExtendOutcome]>(sorted.lanes.count)
        lanes.tell(
            sorted.lanes.enumerated().map { place, lane in
                (lane, .extend(sorted.pick(tokens, lane), lease: lease, answers[place]))
            }
        )
        return sorted.ordered(try await answers.all().values(), strangers: .stale)
            .compactMap { $0 }
    }
}

/// What the lanes have said to a claim so far.
private struct ClaimSum {
    /// Lent at once, by the only lane that had anything due.
    private(set) var claims: [Claim] = []
    private var lent: [[Claim]]
    private var ranks: [[ClaimRank]]
    private var nextDue: [Timestamp?]
    private var now = Timestamp(milliseconds: .min)
    private var failure: TimelineError?

    init(lanes: Int) {
        lent = Array(repeating: [], count: lanes)
        ranks = Array(repeating: [], count: lanes)
        nextDue = Array(repeating: nil, count: lanes)
    }

    mutating func take(_ offer: Result<ClaimOffer, TimelineError>, of lane: Int) {
        switch offer {
        case .success(let offer):
            ranks[lane] = offer.ranks
            note(offer.now, offer.nextDue, lane)
        case .failure(let error): failure = failure ?? error
        }
    }

    mutating func take(_ batch: Result<ClaimBatch, TimelineError>, of lane: Int) {
        switch batch {
        case .success(let batch):
            lent[lane] = batch.claims
            note(batch.now, batch.nextDue, lane)
        case .failure(let error): failure = failure ?? error
        }
    }

    mutating func takeFirst(_ batch: Result<ClaimBatch, TimelineError>, of lane: Int) {
        take(batch, of: lane)
        claims = lent[lane]
        lent[lane] = []
    }

    private mutating func note(_ now: Timestamp, _ nextDue: Timestamp?, _ lane: Int) {
        self.now = max(self.now, now)
        self.nextDue[lane] = nextDue
    }

    /// The lanes of what goes first, in that order (promise T7): each lane's own order is kept, whatever the others have.
    func order(upTo limit: Int) -> [Int] {
        var next = [Int](repeating: 0, count: ranks.count)
        var order: [Int] = []
        while order.count < limit {
            var first: Int?
            for lane in ranks.indices where next[lane] < ranks[lane].count {
                if let found = first, ranks[found][next[found]] <= ranks[lane][next[lane]] {
                    continue
                }
                first = lane
            }
            guard let first else { break }
            order.append(first)
            next[first] += 1
        }
        return order
    }

    /// - Throws: what one lane said, if no lane has lent anything: what was lent must reach its worker.
    func batch(in order: [Int]) throws(TimelineError) -> ClaimBatch {
        var claims = claims
        var next = [Int](repeating: 0, count: lent.count)
        // A lane may lend less than it has offered: something was cancelled meanwhile.
        for lane in order where next[lane] < lent[lane].count {
            claims.append(lent[lane][next[lane]])
            next[lane] += 1
        }
        if claims.isEmpty, let failure { throw failure }
        return ClaimBatch(claims: claims, now: now, nextDue: nextDue.compactMap { $0 }.min())
    }
}
