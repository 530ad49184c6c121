import BelfryCore

/// Walks through the frames of one journal segment.
struct SegmentReader {
    let name: String
    let number: UInt64
    /// Only the last segment may end in a torn frame: the others were synced before the next was begun. One that was closed cleanly is whole, too.
    let isLast: Bool
    /// Its head was on the medium before anybody spoke of it.
    private let isBegun: Bool
    /// Its length, if it was closed.
    private let closedAt: Int?
    var mutation: Mutation?

    /// - Parameters:
    ///   - start: the first segment that the manifest names.
    ///   - newest: what is known of the newest one.
    init(
        _ number: UInt64,
        isLast: Bool,
        start: UInt64,
        newest: NewestSegment?,
        mutation: Mutation? = nil
    ) {
        name = FileFormat.journalName(number)
        self.number = number
        let isNewest = newest?.number == number
        closedAt = isNewest ? newest?.closedAt : nil
        self.isLast = isLast && closedAt == nil
        isBegun = number <= max(start, newest?.number ?? 0)
        self.mutation = mutation
    }

    /// Calls `body` with every frame, in order.
    ///
    /// - Returns: where the sound part ends: the file's size, unless its tail was torn.
    /// - Throws: `corrupt` with file and offset, `newerFormat`, or what `body` throws.
    func read(
        _ bytes: UnsafeRawBufferPointer,
        _ body: (Frame, UnsafeRawBufferPointer, Int) throws(TimelineError) -> Void
    ) throws(TimelineError) -> Int {
        if let closedAt, closedAt != bytes.count {
            throw TimelineError(
                .corrupt,
                "\(name), byte \(min(closedAt, bytes.count)): the file was closed with \(closedAt) bytes and has \(bytes.count)"
            )
        }
        let mayBeNew = isLast && !isBegun
        if mayBeNew && bytes.count < FileFormat.headerBytes { return 0 }
        if mayBeNew && bytes.allSatisfy({ $0 == 0 }) { return 0 }
        do throws(TimelineError) {
            try FileFormat.checkHeader(bytes, .journal, number: number, file: name)
        } catch {
            // A segment whose very head was torn: nothing was ever appended to it.
            guard mayBeNew, error.code == .corrupt, bytes.count == FileFormat.headerBytes else {
                throw error
            }
            return 0
        }
        var offset = FileFormat.headerBytes
        while offset < bytes.count {
            let checks = mutation != .acceptsTornTail
            guard let frame = Frame(bytes, at: offset, verifying: checks) else {
                guard isLast, !hasLaterFrame(bytes, after: offset) else {
                    throw TimelineError(.corrupt, "\(name), byte \(offset): the record is damaged")
                }
                return offset
            }
            let start = offset + Frame.bytes
            let end = start + Int(frame.length)
            try body(frame, UnsafeRawBufferPointer(rebasing: bytes[start..<end]), offset)
            offset = end
        }
        return offset
    }

    /// Whether a sound frame lies further on that was written after the bad place had been synced. Then the bad place is no torn tail: it was
    /// whole once, and somebody relies on it.
    private func hasLaterFrame(_ bytes: UnsafeRawBufferPointer, after bad: Int) -> Bool {
        var offset = bad + 1
        while offset + Frame.bytes <= bytes.count {
            // The magic is looked for first: a checksum at every byte would take long.
            if bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt16.self) == Frame.magic,
                let frame = Frame(bytes, at: offset), frame.synced > UInt64(bad)
            {
                return true
            }
            offset += 1
        }
        return false
    }
}
