import BelfryCore

/// Walks through the frames of one journal segment.
struct SegmentReader {
    let name: String
    let number: UInt64
    /// Only the last segment may end in a torn frame: the others were synced before the next was begun.
    let isLast: Bool
    var mutation: Mutation?

    /// Calls `body` with every frame, in order.
    ///
    /// - Returns: where the sound part ends: the file's size, unless its tail was torn.
    /// - Throws: `corrupt` with file and offset, `newerFormat`, or what `body` throws.
    func read(
        _ bytes: UnsafeRawBufferPointer,
        _ body: (Frame, UnsafeRawBufferPointer, Int) throws(TimelineError) -> Void
    ) throws(TimelineError) -> Int {
        if isLast && bytes.count < FileFormat.headerBytes { return 0 }
        if isLast && bytes.allSatisfy({ $0 == 0 }) { return 0 }
        do throws(TimelineError) {
            try FileFormat.checkHeader(bytes, .journal, number: number, file: name)
        } catch {
            // A segment whose very head was torn: nothing was ever appended to it.
            guard isLast, error.code == .corrupt, bytes.count == FileFormat.headerBytes else {
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
