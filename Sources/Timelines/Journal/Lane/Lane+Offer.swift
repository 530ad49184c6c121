import BelfryCore

/// What a claim would bring, for a timeline that has to choose among its lanes.
extension Lane {
    /// Says what ``claim(_:at:)`` would lend, in order, and lends nothing.
    mutating func offer(_ call: ClaimCall, at moment: Moment) throws(TimelineError) -> ClaimOffer {
        let limit = call.limit
        try check(limit: limit)
        _ = try checked(call.lease)
        deferral = call.deferral
        advance(to: moment)
        var found: [ReadyQueue.Ranked] = []
        defer { for ranked in found { ready.insert(ranked.entry, band: ranked.band) } }
        do throws(TimelineError) {
            try loadDrafts(at: moment)
            while found.count < limit, let first = try firstReady(moment) {
                ready.removeHead(first.band)
                found.append(first)
            }
            try lookAhead(at: moment)
        } catch {
            if found.isEmpty { throw error }
        }
        return ClaimOffer(
            ranks: found.map { ClaimRank(rank: $0.rank, due: $0.entry.due) },
            now: Timestamp(milliseconds: moment.now),
            nextDue: found.isEmpty
                ? nextDue(at: moment) : Timestamp(milliseconds: found[0].entry.due)
        )
    }
}

/// Where a due push stands among those of all lanes (promise T7). Acceptance numbers of two lanes say nothing about each other.
struct ClaimRank: Comparable, BitwiseCopyable, Sendable {
    /// The priority band after ageing.
    var rank: Int64
    var due: Int64

    static func < (a: ClaimRank, b: ClaimRank) -> Bool {
        a.rank != b.rank ? a.rank < b.rank : a.due < b.due
    }
}

/// What a lane could lend now.
struct ClaimOffer: Sendable {
    var ranks: [ClaimRank]
    var now: Timestamp
    var nextDue: Timestamp?
}
