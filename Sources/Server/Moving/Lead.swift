import BelfryCore
import BelfryRecords
import Synchronization

/// Which of several servers over the same records does a piece of work that one alone should do. No clock but one's own counts: a leader whose number has
/// not grown for long enough is taken for gone.
final class Lead: Sendable {
    /// Without a new sign of life for so long, a leader is taken for gone.
    static let patience = Duration.seconds(15)

    private let name: String
    private let node: String
    private let records: Records
    private let clock: any WallClock
    /// The other leader's number, and when it was first seen.
    private let seen = Mutex<(beat: Int, at: Int64)?>(nil)

    init(_ name: String, node: String, records: Records, clock: any WallClock) {
        self.name = name
        self.node = node
        self.records = records
        self.clock = clock
    }

    /// Whether this server leads, of which it gives a sign of life. It takes the lead over where nobody has it, or has given no sign for long.
    func take() async throws(RecordsError) -> Bool {
        let found = try await records.timelineNodes.leader(of: name)
        guard isFree(found) else { return false }
        return try await records.timelineNodes.lead(name, node, after: found?.beat)
    }

    private func isFree(_ found: (node: String, beat: Int)?) -> Bool {
        let now = clock.steadyMilliseconds()
        return seen.withLock { seen in
            guard let found, found.node != node else { return true }
            if seen?.beat != found.beat { seen = (found.beat, now) }
            return now - (seen?.at ?? now) >= Self.patience.milliseconds
        }
    }

    /// The work is done: whoever has the next may lead at once.
    func resign() async throws(RecordsError) { try await records.timelineNodes.resign(name, node) }
}
