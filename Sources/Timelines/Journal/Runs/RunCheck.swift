import BelfryCore

/// Reads a run through and verifies what counts in it, beside the lane that owns it.
struct RunCheck: Sendable {
    let number: UInt32
    private let size: Int
    private let count: Int
    private let dead: [UInt64]

    init(_ run: Run) {
        number = run.number
        size = run.size
        count = run.count
        dead = run.dead
    }

    init(_ entry: Manifest.Entry) {
        number = entry.number
        size = Int(entry.size)
        count = Int(entry.count)
        dead = entry.dead
    }

    /// The blocks that are damaged. Beside a lane it may be wrong: the lane may have given back their room since.
    ///
    /// - Parameter isOver: asked before each block; nothing more is read when it says so.
    /// - Throws: `io`; `corrupt` where the run's directory is damaged, or the file is gone.
    func damagedBlocks(on disk: some Storage, unless isOver: () -> Bool = { false })
        throws(TimelineError) -> [DamagedBlock]
    {
        let reader = try RunReader(number, on: disk, expecting: size)
        defer { disk.close(reader.file) }
        let blocks = try reader.blocks()
        let run = Run(
            number: number,
            file: reader.file,
            size: size,
            count: count,
            blocks: blocks,
            dead: dead
        )
        var damaged: [DamagedBlock] = []
        for (index, block) in blocks.enumerated() where !run.isFinished(index) {
            if isOver() { break }
            do throws(TimelineError) { _ = try reader.block(block) } catch {
                guard error.code == .corrupt else { throw error }
                damaged.append(run.described(index))
            }
        }
        return damaged
    }
}
