import BelfryCore

/// What is whole in a journal segment, whatever lies between.
struct SegmentSalvage {
    /// Whole frames, in order.
    private(set) var frames: [Range<Int>] = []
    private(set) var lost: [LostRange] = []

    /// - Throws: `newerFormat`: nothing of it is judged then.
    init(_ bytes: UnsafeRawBufferPointer, number: UInt64) throws(TimelineError) {
        let name = FileFormat.journalName(number)
        do throws(TimelineError) {
            try FileFormat.checkHeader(bytes, .journal, number: number, file: name)
        } catch {
            guard error.code == .corrupt else { throw error }
            let head = 0..<min(FileFormat.headerBytes, bytes.count)
            lost.append(LostRange(range: head, reason: "the head of the file is damaged"))
        }
        var offset = FileFormat.headerBytes
        while offset < bytes.count {
            if let frame = Frame(bytes, at: offset) {
                let end = offset + Frame.bytes + Int(frame.length)
                frames.append(offset..<end)
                offset = end
            } else {
                let next = Self.nextFrame(in: bytes, after: offset)
                let reason =
                    next == bytes.count
                    ? "the end is no whole record: damaged, or cut short when it was written"
                    : "the record is damaged"
                lost.append(LostRange(range: offset..<next, reason: reason))
                offset = next
            }
        }
    }

    /// Where the first whole frame lies behind a bad place; the end if none does.
    private static func nextFrame(in bytes: UnsafeRawBufferPointer, after bad: Int) -> Int {
        // By the bad frame's own length first: its payload may hold what looks like a frame.
        if bytes.count - bad >= Frame.bytes {
            let head = bytes.loadUnaligned(fromByteOffset: bad, as: Frame.self)
            let end = bad + Frame.bytes + Int(head.length)
            if head.magic == Frame.magic, end <= bytes.count,
                end == bytes.count || Frame(bytes, at: end) != nil
            {
                return end
            }
        }
        var offset = bad + 1
        while offset + Frame.bytes <= bytes.count {
            if bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt16.self) == Frame.magic,
                Frame(bytes, at: offset) != nil
            {
                return offset
            }
            offset += 1
        }
        return bytes.count
    }
}
