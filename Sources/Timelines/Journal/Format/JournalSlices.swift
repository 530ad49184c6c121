import BelfryCore

/// A part of a journal segment in memory: whole frames, each verified.
struct JournalSlice {
    let bytes: UnsafeRawBufferPointer
    /// Where it lies in the segment.
    let start: Int

    var end: Int { start + bytes.count }

    @inline(__always)
    func pointer(at offset: Int) -> UnsafeRawPointer {
        precondition(offset >= start && offset < end, "a record outside its slice")
        guard let base = bytes.baseAddress else { fatalError("an empty slice") }
        return base + (offset - start)
    }
}

/// Reads a segment that nothing is appended to any more, in slices of about so many bytes.
struct JournalSlices<Disk: Storage>: ~Copyable {
    private let disk: Disk
    private let file: FileID
    private let name: String
    private var buffer: UnsafeMutableRawBufferPointer
    private var offset = FileFormat.headerBytes

    init(_ segment: UInt64, bytes: Int, on disk: Disk) throws(TimelineError) {
        self.disk = disk
        let name = FileFormat.journalName(segment)
        self.name = name
        file = try onDisk { () throws(StorageError) in try disk.open(name, .read) }
        let size = (try? disk.size(file)) ?? bytes
        buffer = .allocate(byteCount: max(min(bytes, size), Frame.bytes), alignment: 16)
    }

    deinit {
        disk.close(file)
        buffer.deallocate()
    }

    /// The frames that follow, good until the next call; `nil` at the end.
    ///
    /// - Throws: `corrupt` where a frame is damaged.
    mutating func next() throws(TimelineError) -> JournalSlice? {
        while true {
            let count = try read()
            guard count > 0 else { return nil }
            let whole = wholeFrames(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            guard whole == 0 else {
                defer { offset += whole }
                return JournalSlice(
                    bytes: UnsafeRawBufferPointer(rebasing: buffer[..<whole]),
                    start: offset
                )
            }
            // A frame that is longer than the buffer, or no frame.
            guard count == buffer.count, buffer.count < Frame.bytes + Frame.bodyLimit else {
                throw TimelineError(.corrupt, "\(name), byte \(offset): the record is damaged")
            }
            buffer.deallocate()
            buffer = .allocate(byteCount: Frame.bytes + Frame.bodyLimit, alignment: 16)
        }
    }

    private func read() throws(TimelineError) -> Int {
        let buffer = buffer
        return try onDisk { () throws(StorageError) in
            try disk.read(file, at: offset, into: buffer)
        }
    }

    private func wholeFrames(_ bytes: UnsafeRawBufferPointer) -> Int {
        var end = 0
        while let frame = Frame(bytes, at: end) { end += Frame.bytes + Int(frame.length) }
        return end
    }
}
