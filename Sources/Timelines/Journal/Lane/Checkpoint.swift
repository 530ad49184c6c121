import BelfryCore

/// What a checkpoint writes: the state at one moment, as runs and a manifest. After it the journal before that moment is not needed.
///
/// Unchecked: it is made on the lane's thread and read on another. The pointers in the drafts are into arena chunks that the lane
/// keeps until ``Lane/endCheckpoint(_:at:)``, and nobody changes bytes that lie there.
struct CheckpointPlan: @unchecked Sendable {
    /// Drafts for each horizon class.
    var classes: [[RunDraft]]
    var groups: [GroupDraft]
    var manifest: Manifest
    var blockBytes: Int
    /// Files that no manifest names afterwards.
    var obsolete: [String]
    /// Open runs in which nothing counts any more.
    var finished: [FileID]
    /// Blocks in which nothing counts by this manifest.
    var punches: [(run: UInt32, block: Int, file: FileID, range: Range<Int>)]

    /// Writes runs, then the manifest, then lets go of what is obsolete: in this order, so that a crash anywhere leaves one whole state.
    func write(to disk: some Storage) -> CheckpointResult {
        var written = WrittenRuns()
        do throws(StorageError) {
            try writeAll(to: disk, &written)
            return CheckpointResult(
                plan: self,
                runs: written.runs,
                drafts: written.drafts,
                error: nil
            )
        } catch {
            for file in finished { disk.close(file) }
            for run in written.runs {
                disk.close(run.file)
                // A stray is removed at the next opening.
                try? disk.remove(FileFormat.runName(run.number))
            }
            return CheckpointResult(plan: self, runs: [], drafts: [], error: error)
        }
    }

    private func writeAll(to disk: some Storage, _ written: inout WrittenRuns) throws(StorageError)
    {
        var manifest = manifest
        for drafts in classes where !drafts.isEmpty {
            let sorted = drafts.sorted(by: <)
            let number = manifest.nextRun
            manifest.nextRun += 1
            let run = try RunWriter.write(
                sorted,
                groups,
                number: number,
                key: manifest.key,
                to: disk,
                blockBytes: blockBytes
            )
            written.runs.append(run)
            written.drafts.append(sorted)
            manifest.runs.append(
                Manifest.Entry(
                    number: number,
                    size: UInt64(run.size),
                    count: UInt32(run.count),
                    dead: run.dead
                )
            )
        }
        try disk.syncFolder()
        try manifest.write(to: disk)
        for file in finished { disk.close(file) }
        // Strays are removed at the next opening.
        for name in obsolete { try? disk.remove(name) }
        for punch in punches { disk.punch(punch.file, punch.range) }
    }
}

private struct WrittenRuns {
    var runs: [Run] = []
    var drafts: [[RunDraft]] = []
}

/// How a checkpoint ended. Unchecked for the same reason as ``CheckpointPlan``.
struct CheckpointResult: @unchecked Sendable {
    var plan: CheckpointPlan
    var runs: [Run]
    /// What each run holds, in order.
    var drafts: [[RunDraft]]
    var error: StorageError?
}
