import BelfryCore

extension Lane {
    /// Sees to room for a frame, before anything is changed.
    ///
    /// New pushes must leave the headroom alone; what only ends pushes may use it up (promise T11).
    mutating func makeRoom(_ bytes: Int, isGrowth: Bool) throws(TimelineError) {
        let needed = journal.end + bytes + (isGrowth ? limits.headroomBytes : 0)
        guard needed > journal.reserved else { return }
        if isGrowth, let limit = limits.memoryBytes, memory > limit {
            throw TimelineError(.full, "pending pushes take more than \(limit) bytes of memory")
        }
        do throws(StorageError) {
            try reserve(upTo: needed + limits.reserveStepBytes)
        } catch {
            do throws(StorageError) { try reserve(upTo: needed) } catch {
                throw TimelineError(error)
            }
        }
    }

    private mutating func reserve(upTo size: Int) throws(StorageError) {
        try disk.reserve(journal.file, upTo: size)
        journal.reserved = size
    }

    /// Bytes that pending pushes take in memory.
    var memory: Int { arena.memory + slots.memory + near.memory + index.memory }

    func frame(_ kind: Frame.Kind, count: Int, at moment: Moment) -> Frame {
        Frame(
            kind,
            count: count,
            now: moment.now,
            sequence: sequence,
            synced: journal.groupStart
        )
    }

    /// Finishes a frame whose body is in place, and queues it for writing.
    mutating func seal(_ frame: Frame, _ buffer: FrameBuffer) {
        buffer.seal(frame)
        journal.add(buffer)
        journalled += buffer.bytes.count
    }

    /// What has been decided since the last group.
    var hasFrames: Bool { !journal.frames.isEmpty }

    /// Hands over what is to be written. The next group may be collected while this one is on its way, but not written before
    /// it is on disk.
    mutating func takeGroup() -> WriteGroup {
        let group = WriteGroup(
            file: journal.file,
            start: journal.groupStart,
            frames: journal.frames
        )
        journal.writing = journal.frames
        journal.frames = []
        journal.groupStart = journal.end
        return group
    }

    /// The group at hand is on disk (or has failed).
    mutating func finishGroup() { journal.writing = [] }

    /// Writes and syncs everything at once, for whoever needs no overlap.
    mutating func flush() throws(StorageError) {
        let group = takeGroup()
        defer { finishGroup() }
        try group.write(to: disk)
    }
}
