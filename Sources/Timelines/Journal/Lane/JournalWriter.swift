import BelfryCore

/// Where the next frame goes: the open segment, and what of it has been handed over for writing.
struct JournalWriter {
    var file: FileID
    /// Number of the open segment.
    var segment: UInt64
    /// Where the next frame will lie.
    var end: Int
    /// Where the group that is being collected begins: all before it will have been synced when it is written.
    var groupStart: Int
    /// How far room is set aside.
    var reserved = 0
    /// What is to be written, in order.
    var frames: [FrameBuffer] = []
    /// What is on its way to the disk: it comes before ``frames``.
    var writing: [FrameBuffer] = []

    mutating func add(_ frame: FrameBuffer) {
        end += frame.bytes.count
        frames.append(frame)
    }

    /// Bytes that are not in the file yet; `nil` for those that are. O(frames under way).
    func unwritten(at offset: Int) -> UnsafeRawPointer? {
        var start = end
        for frame in [writing, frames].joined().reversed() {
            start -= frame.bytes.count
            if offset >= start { return UnsafeRawPointer(frame.start) + (offset - start) }
        }
        return nil
    }
}

/// Frames that go to disk together, with one sync.
struct WriteGroup: Sendable {
    var file: FileID
    /// Where the first of them goes in the segment.
    var start: Int
    var frames: [FrameBuffer]

    /// Frames up to this size are gathered, so that they need not a system call each.
    private static let gatheredBytes = 16 << 10
    private static let gatherBytes = 256 << 10

    /// Writes and syncs.
    func write(to storage: some Storage) throws(StorageError) {
        guard !frames.isEmpty else { return }
        var gathered: [UInt8] = []
        for frame in frames {
            if frame.bytes.count <= Self.gatheredBytes {
                gathered.append(contentsOf: frame.bytes)
                if gathered.count < Self.gatherBytes { continue }
            }
            try write(&gathered, to: storage)
            if frame.bytes.count > Self.gatheredBytes { try storage.append(frame.bytes, to: file) }
        }
        try write(&gathered, to: storage)
        try storage.sync(file)
    }

    private func write(_ gathered: inout [UInt8], to storage: some Storage) throws(StorageError) {
        guard !gathered.isEmpty else { return }
        try append(gathered, to: file, storage)
        gathered.removeAll(keepingCapacity: true)
    }
}
