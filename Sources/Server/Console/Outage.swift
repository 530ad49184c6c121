import BelfryCore
import Synchronization

/// Since when the records cannot be read.
final class Outage: Sendable {
    private let since = Mutex<Timestamp?>(nil)

    /// - Returns: when it began: now, unless it is going on already.
    func began(at now: Timestamp) -> Timestamp {
        since.withLock { since in
            if let since { return since }
            since = now
            return now
        }
    }

    func ended() { since.withLock { $0 = nil } }
}
