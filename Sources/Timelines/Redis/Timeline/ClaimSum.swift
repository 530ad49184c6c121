import BelfryCore

/// What shards have said to one claim: what each could lend, then what each has lent.
struct ClaimSum {
    /// A script lends at most so many: none must keep its server from others for long.
    static let shareLimit = 512

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

    private var offers: [(rank: Rank, shard: Int, count: Int)] = []
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
            offers.append((rank, shard, words[index + 2]))
            count += words[index + 2]
            last = rank
        }
        if count >= wanted, let last { bound = min(bound ?? last, last) }
    }

    mutating func lend(_ claim: Claim, of shard: Int) { lent[shard, default: []].append(claim) }

    mutating func fail(_ error: TimelineError) { failure = failure ?? error }

    /// How many of what goes first each shard has (promise T7), as far as the offers can tell.
    func shares(of limit: Int) -> [(shard: Int, count: Int)] {
        var shares: [Int: Int] = [:]
        var left = limit
        for offer in offers.sorted(by: { $0.rank < $1.rank }) {
            guard left > 0, bound.map({ offer.rank <= $0 }) ?? true else { break }
            let count = min(left, offer.count)
            shares[offer.shard, default: 0] += count
            left -= count
        }
        return shares.sorted { $0.key < $1.key }.map { ($0.key, min($0.value, Self.shareLimit)) }
    }

    /// What was lent, the best first (promise T7).
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
}
