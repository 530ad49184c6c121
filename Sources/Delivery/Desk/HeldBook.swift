import BelfryCore

/// The oldest time asked for among the pushes that were put back, by why and by when they come again.
///
/// In memory alone: after a start it fills as held pushes come again, within a minute but for quiet hours and used-up quotas. A push that is
/// cancelled or replaced counts until it would have come. One that waits for a person's permission, or for
/// a later time that was planned, is not late, and is not kept here.
struct HeldBook {
    private struct Key: Hashable {
        var state: WaitingState
        var until: Int64
    }

    private var oldest: [Key: Timestamp] = [:]
    private var pruned: Int64 = .min

    mutating func add(
        _ asked: Timestamp,
        _ state: WaitingState,
        until: Timestamp,
        at now: Timestamp
    ) {
        guard state.isHold, state != .heldWindow else { return }
        let key = Key(state: state, until: Self.bucket(until, now))
        oldest[key] = min(oldest[key] ?? asked, asked)
    }

    /// Seconds within five minutes, minutes within a day, hours beyond: bounded, whatever is held.
    private static func bucket(_ until: Timestamp, _ now: Timestamp) -> Int64 {
        let ahead = (until - now).milliseconds
        let width: Int64 = ahead < 300_000 ? 1_000 : ahead < 86_400_000 ? 60_000 : 3_600_000
        return (until.milliseconds / width + 1) * width
    }

    /// Those whose turn has not come.
    func oldest(at now: Timestamp) -> [WaitingState: Timestamp] {
        var found: [WaitingState: Timestamp] = [:]
        for (key, asked) in oldest where key.until > now.milliseconds && asked < now {
            found[key.state] = min(found[key.state] ?? asked, asked)
        }
        return found
    }

    /// Lets go of what has come again; once a second.
    mutating func prune(at now: Timestamp) {
        let second = now.milliseconds / 1_000
        guard second != pruned else { return }
        pruned = second
        oldest = oldest.filter { $0.key.until > now.milliseconds }
    }
}
