package import BelfryCore

/// A block of a run that cannot be read as it was written. What is in it is set aside: it stays pending, is neither lent nor ended, and can be
/// cancelled or replaced by its id. A repair drops it, and says so.
package struct DamagedBlock: Sendable, Hashable {
    /// The run's file, with the lane's folder before it.
    package var file: String
    /// Bytes from the start of the file.
    package var offset: Int
    package var length: Int
    /// Its place in the run's directory.
    var number: Int
    /// Pushes in it that have not been cancelled or replaced; some of them may be in memory all the same.
    package var pushes: Int
    /// When the first push was due that was written into it.
    package var firstDue: Timestamp

    /// File, place and what is lost, in the engine's words.
    package var problem: String {
        "\(file), byte \(offset): the block is damaged: \(pushes) pushes in it are set aside"
    }
}

extension RunSet {
    /// Blocks that are set aside and in which something still counts.
    var damage: [DamagedBlock] {
        runs.flatMap { run in
            run.damaged.sorted().filter { !run.isFinished($0) }.map { run.described($0) }
        }
    }

    /// Pushes that are set aside.
    var damagedPushes: Int {
        runs.reduce(0) { sum, run in run.damaged.reduce(sum) { $0 + run.live(in: $1) } }
    }
}

extension Run {
    func described(_ block: Int) -> DamagedBlock {
        DamagedBlock(
            file: FileFormat.runName(number),
            offset: Int(clamping: blocks[block].offset),
            length: Int(blocks[block].length),
            number: block,
            pushes: live(in: block),
            firstDue: Timestamp(milliseconds: blocks[block].firstDue)
        )
    }
}
