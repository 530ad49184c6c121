import BelfryCore

/// Decides when capacity is short, and which bands wait then. Pure: it is told what is going on several times a second while there is much to do, and never otherwise.
///
/// It begins to defer when capacity has been short for ``lasting``, the lowest band first, and a band more where that is not enough: a burst that is over before is none. It ends when nothing is left deferred and nothing has
/// been late for ``calm``: what was deferred trickles out meanwhile on what the other bands leave free, so that the end is no rush.
struct Scarcity {
    /// So long capacity must have been short, without a pause, before a band is deferred.
    static let lasting = Duration.milliseconds(500)
    /// So long everything must be well before bands are deferred no more.
    static let calm = Duration.seconds(5)
    /// So long the deferral of one band is given to work before another one is deferred.
    static let step = Duration.seconds(2)
    /// More ahead than this share of what can be sent meanwhile is not yet the end.
    static let comfortable = 0.8

    /// What is going on at one moment.
    struct Reading {
        var now: Timestamp
        /// On the steady clock, in milliseconds.
        var steady: Int64
        /// Messages whose channels have answered since the start.
        var completed: Int
        /// Something waits although no limit of its account holds it back.
        var isSaturated: Bool
        /// How late the latest is, of what waits in bands that may not be deferred.
        var lag: Duration
        /// Somebody uses those bands at the moment: for nobody nothing is deferred.
        var isNeeded: Bool
        /// Nothing that was deferred is left.
        var isCaughtUp: Bool
        /// How many pushes are to go out within a time; `nil` where nobody has asked since.
        var ahead: (count: Int, within: Duration)?
    }

    enum Change: Equatable {
        case began
        case deferredMore
        case ended
    }

    private(set) var overload: Overload?
    /// Messages a second that were completed while everything was busy; `nil` while that has never been so.
    private(set) var capacity: Double?
    private var last: (steady: Int64, completed: Int, isSaturated: Bool)?
    private var saturatedSince: Int64?
    private var lateSince: Int64?
    private var shortAheadSince: Int64?
    private var calmSince: Int64?
    /// As somebody has last heard.
    private var ahead: (count: Int, within: Duration)?
    private var changed: Int64 = .min

    /// Takes note of a reading.
    mutating func take(_ reading: Reading, _ policy: OverloadPolicy) -> Change? {
        measure(reading)
        let steady = reading.steady
        saturatedSince = reading.isSaturated ? saturatedSince ?? steady : nil
        lateSince = isLate(reading, policy) ? lateSince ?? steady : nil
        if let ahead = reading.ahead {
            self.ahead = ahead
            shortAheadSince = isShort(share: 1) ? shortAheadSince ?? steady : nil
        }
        return overload == nil ? begin(reading, policy) : review(reading, policy)
    }

    /// Nobody looks until there is much to do again: what was going on until now tells nothing of then.
    mutating func rest() {
        forgetShortage()
        last = nil
        ahead = nil
    }

    /// By what was last heard, more is ahead than can be sent, and it is not known yet whether that lasts: worth asking again soon.
    var isInDoubt: Bool { overload == nil && shortAheadSince != nil }

    private mutating func measure(_ reading: Reading) {
        defer { last = (reading.steady, reading.completed, reading.isSaturated) }
        guard let last, reading.steady > last.steady else { return }
        let span = Double(reading.steady - last.steady)
        let rate = Double(reading.completed - last.completed) * 1000 / span
        if last.isSaturated, reading.isSaturated {
            capacity = capacity.map { $0 * 0.7 + rate * 0.3 } ?? rate
        } else if let known = capacity, rate > known {
            capacity = rate
        }
    }

    private mutating func begin(_ reading: Reading, _ policy: OverloadPolicy) -> Change? {
        guard policy.highest != nil, reading.isNeeded, let reason = shortage(reading, policy) else {
            return nil
        }
        overload = Overload(
            from: .low,
            reason: reason,
            since: reading.now,
            longest: policy.longest
        )
        changed = reading.steady
        calmSince = nil
        return .began
    }

    private func shortage(_ reading: Reading, _ policy: OverloadPolicy) -> Overload.Reason? {
        let steady = reading.steady
        let lasting = Self.lasting.milliseconds
        if let lateSince, steady - lateSince >= lasting { return .lag }
        if let saturatedSince,
            steady - saturatedSince > max(policy.lagGoal.milliseconds, lasting)
        {
            return .saturation
        }
        // What was heard before may have been the burst that is over.
        guard reading.ahead != nil, let shortAheadSince else { return nil }
        return steady - shortAheadSince >= lasting ? .forecast : nil
    }

    private func isLate(_ reading: Reading, _ policy: OverloadPolicy) -> Bool {
        reading.isSaturated && reading.lag > policy.lagGoal
    }

    /// Whether more is ahead than a share of what can be sent meanwhile.
    private func isShort(share: Double) -> Bool {
        guard let capacity, let ahead else { return false }
        return Double(ahead.count) > capacity * share * Double(ahead.within.milliseconds) / 1000
    }

    private mutating func review(_ reading: Reading, _ policy: OverloadPolicy) -> Change? {
        guard let highest = policy.highest, reading.isNeeded, let from = overload?.from else {
            return end()
        }
        overload?.longest = policy.longest
        if from < highest { overload?.from = highest }
        if highest < from, isLate(reading, policy),
            reading.steady - changed >= Self.step.milliseconds,
            let next = Priority(rawValue: from.rawValue - 1)
        {
            overload?.from = next
            changed = reading.steady
            calmSince = nil
            return .deferredMore
        }
        let isCalm =
            reading.isCaughtUp && reading.lag <= policy.lagGoal / 2
            && !isShort(share: Self.comfortable)
        calmSince = isCalm ? calmSince ?? reading.steady : nil
        guard let calmSince, reading.steady - calmSince >= Self.calm.milliseconds else {
            return nil
        }
        return end()
    }

    private mutating func end() -> Change {
        overload = nil
        calmSince = nil
        forgetShortage()
        return .ended
    }

    private mutating func forgetShortage() {
        saturatedSince = nil
        lateSince = nil
        shortAheadSince = nil
    }
}
