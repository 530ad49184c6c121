import BelfryCore
import Synchronization

/// Finding damage before it is due, and telling of it.
extension LaneThread {
    /// Reads all runs through once, beside the lane: damage would otherwise show only when the damaged block is needed, months later perhaps.
    mutating func checkRuns() {
        guard lane.limits.checksRuns, !lane.runs.runs.isEmpty else { return }
        isChecking = true
        let checks = lane.runs.runs.map { RunCheck($0) }
        let (disk, inbox, stopping) = (lane.disk, inbox, stopping)
        startThread {
            for check in checks where !stopping.hasBegun {
                // A run that cannot be opened has ended meanwhile, or is told of by the claim that needs it.
                let found = try? check.damagedBlocks(on: disk) { stopping.hasBegun }
                for block in found ?? [] {
                    inbox.send(.suspect(run: check.number, block: block.number))
                }
            }
            inbox.send(.checked, always: true)
        }
    }

    mutating func examine(_ run: UInt32, _ block: Int) {
        guard failure == nil else { return }
        // What cannot be read now is told by the claim that needs it.
        try? lane.examine(run: run, block: block)
    }

    mutating func tellDamage() {
        for block in lane.newDamage { tell(block) }
        lane.newDamage.removeAll()
    }
}

/// Says that the lane is to end.
final class Stopping: Sendable {
    private let flag = Atomic(false)

    var hasBegun: Bool { flag.load(ordering: .relaxed) }

    func begin() { flag.store(true, ordering: .relaxed) }
}
