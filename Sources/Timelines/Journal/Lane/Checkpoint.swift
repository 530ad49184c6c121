import BelfryCore

/// What a checkpoint writes: the state at one moment, as runs and a manifest. After it the journal before that moment is not needed.
///
/// Unchecked: it is made on the lane's thread and read on another. The pointers in the near drafts are into arena chunks that the lane
/// keeps until ``Lane/endCheckpoint(_:at:)``, and nobody changes bytes that lie there.
struct CheckpointPlan: @unchecked Sendable {
    /// What lies in memory, for each horizon class.
    var classes: [[RunDraft]]
    var groups: [GroupDraft]
    /// What lies in the journal only.
    var drafts: Drafts
    /// The account of each draft; ``ended`` for those that do not count any more.
    var accounts: [UInt32]
    var horizons: Horizons
    var manifest: Manifest
    var blockBytes: Int
    var sliceBytes: Int
    /// Files that no manifest names afterwards. Afterwards: those that were removed.
    var obsolete: [String]
    /// Open runs in which nothing counts any more. Afterwards: those whose names were removed.
    var finished: [FileID]
    /// Blocks in which nothing counts by this manifest.
    var punches: [(run: UInt32, block: Int, file: FileID, range: Range<Int>)]

    static let ended = UInt32.max

    /// Writes runs, then the manifest, then lets go of what is obsolete: in this order, so that a crash anywhere leaves one whole state.
    func write(to disk: some Storage) -> CheckpointResult {
        var runs = CheckpointRuns(self, on: disk)
        do throws(TimelineError) {
            for drafts in classes { try runs.write(near: drafts) }
            try runs.writeJournal()
            try onDisk { () throws(StorageError) in
                try disk.syncFolder()
                try runs.manifest.put(on: disk)
            }
        } catch {
            for file in finished { disk.close(file) }
            runs.remove()
            return CheckpointResult(plan: self, error: error)
        }
        return CheckpointResult(
            plan: lettingGo(of: disk),
            near: runs.near,
            sorted: runs.sorted,
            places: runs.places,
            error: nil
        )
    }

    /// The new manifest is in its place; whether a power cut leaves it there is only known once the folder is synced. Where that fails, everything
    /// that the old one needs stays: it lies unused until the next opening.
    private func lettingGo(of disk: some Storage) -> CheckpointPlan {
        var plan = self
        do throws(StorageError) { try disk.syncFolder() } catch {
            for file in finished { disk.close(file) }
            plan.finished = []
            plan.punches = []
            plan.obsolete = []
            return plan
        }
        // Strays are removed at the next opening.
        for name in obsolete { try? disk.remove(name) }
        for punch in punches { disk.punch(punch.file, punch.range) }
        return plan
    }
}

/// Runs are split by how far away their pushes are: one year-long push must not keep a file of two days.
struct Horizons {
    static let count = 3

    private var short: Int64
    private var middle: Int64

    init(at now: Int64) {
        short = now + Duration.days(2).milliseconds
        middle = now + Duration.days(32).milliseconds
    }

    @inline(__always)
    func callAsFunction(_ due: Int64) -> Int { due <= short ? 0 : due <= middle ? 1 : 2 }
}

/// Where a draft lies after a checkpoint.
struct RunPlace: BitwiseCopyable {
    /// ``Slot/nowhere``: it did not count when the checkpoint began.
    var run = Slot.nowhere
    var ordinal: UInt32 = 0
}

/// How a checkpoint ended. Unchecked for the same reason as ``CheckpointPlan``.
struct CheckpointResult: @unchecked Sendable {
    var plan: CheckpointPlan
    /// Runs of what lay in memory, and what each holds, in order.
    var near: [(run: Run, drafts: [RunDraft])] = []
    /// Runs of what lay in the journal, and where each draft lies now.
    var sorted: [Run] = []
    var places: [RunPlace] = []
    var error: TimelineError?
}
