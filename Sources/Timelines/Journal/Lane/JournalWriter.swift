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
    var pieces: [Piece] = []

    struct Piece {
        var place: RecordPlace
        var count: Int
    }

    /// - Returns: whether it begins a piece; otherwise it goes on with the one before.
    mutating func add(_ place: RecordPlace, _ count: Int) -> Bool {
        end += count
        if let last = pieces.last, last.place.chunk == place.chunk,
            Int(last.place.offset) + last.count == Int(place.offset)
        {
            pieces[pieces.count - 1].count += count
            return false
        }
        pieces.append(Piece(place: place, count: count))
        return true
    }
}

/// Frames that go to disk by one write and one sync.
///
/// The pointers are into arena chunks that the lane keeps until ``Lane/finish(_:)``; nobody changes those bytes.
struct WriteGroup: @unchecked Sendable {
    var file: FileID
    var segment: UInt64
    var start: Int
    var pieces: [UnsafeRawBufferPointer]
    var chunks: [UInt32]

    /// Writes and syncs.
    func write(to storage: some Storage) throws(StorageError) {
        guard !pieces.isEmpty else { return }
        for piece in pieces { try storage.append(piece, to: file) }
        try storage.sync(file)
    }
}
