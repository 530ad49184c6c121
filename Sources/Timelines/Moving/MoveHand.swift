package import BelfryCore
import Synchronization

/// What is being moved just now, written down before it is taken out of the one timeline and until it is in the other: so a crash between loses nothing.
///
/// Whoever ends a push strikes it out: what stands here and is in neither timeline is to be put into one.
package protocol MoveHand: Sendable {
    /// Whether other processes move, too: then it is asked at every call; otherwise memory knows.
    var isShared: Bool { get }

    /// Writes pushes down. Durable when it returns.
    func take(_ pushes: [Pending]) async throws(TimelineError)

    /// All that stands here.
    func pushes() async throws(TimelineError) -> [Pending]

    /// Strikes pushes out.
    func strike(_ ids: [PushID]) async throws(TimelineError)

    /// Whether one of these ids, or one that merges with one of these pushes, stands here.
    func holds(_ ids: [PushID], mergingWith pushes: [Push]) async throws(TimelineError) -> Bool
}

extension Push {
    /// Whether both may become one (promise T8).
    package func mergesWith(_ other: Push) -> Bool {
        guard let merge, let theirs = other.merge else { return false }
        return merge.key == theirs.key && recipient == other.recipient
    }
}

/// A hand in memory: where there is no crash to be survived, as in a simulation.
package final class MemoryHand: MoveHand {
    package let isShared: Bool
    private let held = Mutex<[PushID: Pending]>([:])

    package init(isShared: Bool = false) { self.isShared = isShared }

    package func take(_ pushes: [Pending]) async throws(TimelineError) {
        held.withLock { held in for pending in pushes { held[pending.push.id] = pending } }
    }

    package func pushes() async throws(TimelineError) -> [Pending] {
        held.withLock { $0.values.sorted { $0.push.id.text < $1.push.id.text } }
    }

    package func strike(_ ids: [PushID]) async throws(TimelineError) {
        held.withLock { held in for id in ids { held[id] = nil } }
    }

    package func holds(_ ids: [PushID], mergingWith pushes: [Push]) async throws(TimelineError)
        -> Bool
    {
        held.withLock { held in
            ids.contains { held[$0] != nil }
                || held.values.contains { pending in
                    pushes.contains { $0.mergesWith(pending.push) }
                }
        }
    }
}
