import BelfryCore

/// What shards have said to one claim: what each could lend, then what each has lent.
struct ClaimSum {
    /// A script lends at most so many: none must keep its server from others for long.
    static let shareLimit = 256

    /// Where a due push stands among those of all shards. Acceptance numbers of two shards say nothing about each other.
    private struct Rank: Comparable {
        /// The priority band after ageing.
        var band: Int
        var due: Int

        init(band: Int, due: Int) { (self.band, self.due) = (band, due) }

        /// As `due.lua` reckons it.
        init(_ claim: Claim, _ ageing: Duration, _ now: Timestamp) {
            let late = (now.milliseconds - claim.push.due.milliseconds) / ageing.milliseconds
            band = max(0, Int(claim.push.priority.rawValue) - Int(max(0, late)))
            due = Int(claim.push.due.milliseconds)
        }

        static func < (a: Rank, b: Rank) -> Bool {
            a.band != b.band ? a.band < b.band : a.due < b.due
        }
    }

    private var offers: [(rank: Rank, shard: Int)] = []
    /// Behind it, some shard has more due than it has offered.
    private var bound: Rank?
    private var lent: [Int: [Claim]] = [:]
    /// Whether a shard has more that is due than it has lent.
    var isBehind = false
    private var failure: TimelineError?

    /// - Parameters:
    ///   - words: band, due time and how many of these, by turns, the best first.
    ///   - wanted: how many were asked for.
    mutating func offer(_ words: [Int], of shard: Int, wanted: Int) {
        var count = 0
        var last: Rank?
        for index in stride(from: 0, to: words.count - 2, by: 3) {
            let rank = Rank(band: words[index], due: words[index + 1])
            offers += repeatElement((rank: rank, shard: shard), count: words[index + 2])
            count += words[index + 2]
            last = rank
        }
        if count >= wanted, let last { bound = min(bound ?? last, last) }
    }

    mutating func lend(_ claim: Claim, of shard: Int) { lent[shard, default: []].append(claim) }

    mutating func fail(_ error: TimelineError) { failure = failure ?? error }

    /// The shards of what goes first, in that order (promise T7), as far as the offers can tell.
    func order(upTo limit: Int) -> [Int] {
        offers.sorted { $0.rank < $1.rank }.prefix(limit)
            .prefix { offer in bound.map { offer.rank <= $0 } ?? true }
            .map(\.shard)
    }

    /// What was lent without a word before, the best first (promise T7).
    ///
    /// - Throws: what one shard said, where none has lent anything.
    func claims(by ageing: Duration, at now: Timestamp) throws(TimelineError) -> [Claim] {
        let claims = lent.sorted { $0.key < $1.key }.flatMap(\.value)
        if claims.isEmpty, let failure { throw failure }
        let ranked = claims.enumerated().map { place, claim in
            (rank: Rank(claim, ageing, now), place: place)
        }
        return ranked.sorted { ($0.rank, $0.place) < ($1.rank, $1.place) }.map { claims[$0.place] }
    }

    /// What was lent, in the order of the shards given. A shard may lend less than it has offered: something was cancelled meanwhile.
    ///
    /// - Throws: what one shard said, where none has lent anything: what was lent must reach its worker.
    func claims(in order: [Int]) throws(TimelineError) -> [Claim] {
        var claims: [Claim] = []
        var next: [Int: Int] = [:]
        for shard in order {
            let place = next[shard, default: 0]
            guard let own = lent[shard], place < own.count else { continue }
            claims.append(own[place])
            next[shard] = place + 1
        }
        if claims.isEmpty, let failure { throw failure }
        return claims
    }
}
