import Synchronization

/// What servers that keep pushes were found to have lost since this process began. It goes with a restart, when somebody has seen it.
final class Losses: Sendable {
    private let count = Mutex(0)

    /// How many shards were found empty that were not.
    var shards: Int { count.withLock { $0 } }

    func note(_ shards: Int) { count.withLock { $0 += shards } }

    /// No reason to send traffic elsewhere: what is lost is lost for all, and new pushes are kept.
    var check: Check {
        let shards = shards
        return Check(
            "timeline-data",
            problem: shards == 0
                ? nil
                : "Redis has lost everything that lay in \(shards) shards since this server started",
            isVital: false
        )
    }
}
