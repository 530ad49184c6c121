import BelfryCore

/// What is known of the newest journal segment beside itself: that it was begun and, after a clean close, how long it is.
///
/// Written when a segment has been begun and when the timeline is closed, never with a group of records. What it says stays true for ever,
/// because a segment that was closed is never written again: an old one, or none, says less, but nothing wrong. So a failure to write it
/// is no failure.
///
///     file header (``FileFormat``), its number is the segment's
///      32     8   length of the closed segment; all ones while it is open
///      40     4   reserved, 0
///      44     4   CRC-32C of the 44 bytes before
struct NewestSegment: Equatable {
    static let name = "NEWEST"
    static let newName = "NEWEST.new"
    private static let bytes = FileFormat.headerBytes + 16

    var number: UInt64
    /// `nil` while something may be appended.
    var closedAt: Int?

    /// - Returns: `nil` where there is none, or none that can be believed.
    /// - Throws: `newerFormat` or `io`.
    static func read(from disk: some Storage) throws(TimelineError) -> NewestSegment? {
        let names = try onDisk { () throws(StorageError) in try disk.names() }
        guard names.contains(name) else { return nil }
        let file = try onDisk { () throws(StorageError) in try WholeFile(name, on: disk) }
        do throws(TimelineError) { return try NewestSegment(file.bytes) } catch {
            guard error.code == .corrupt else { throw error }
            return nil
        }
    }

    init(number: UInt64, closedAt: Int? = nil) {
        self.number = number
        self.closedAt = closedAt
    }

    /// - Throws: `corrupt` or `newerFormat`.
    init(_ bytes: UnsafeRawBufferPointer) throws(TimelineError) {
        let number =
            bytes.count >= FileFormat.headerBytes
            ? bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self) : 0
        try FileFormat.checkHeader(bytes, .newest, number: number, file: Self.name)
        guard bytes.count == Self.bytes,
            Checksum.crc(UnsafeRawBufferPointer(rebasing: bytes[..<44]))
                == bytes.loadUnaligned(fromByteOffset: 44, as: UInt32.self)
        else { throw TimelineError(.corrupt, "\(Self.name), byte 32: is damaged") }
        let length = bytes.loadUnaligned(fromByteOffset: 32, as: UInt64.self)
        self.init(number: number, closedAt: length == .max ? nil : Int(clamping: length))
    }

    /// Takes the place of the old one. What cannot be written is left out: see above.
    func write(to disk: some Storage) {
        var file = Bytes(array: FileFormat.header(.newest, number: number))
        file.put(closedAt.map(UInt64.init) ?? .max)
        file.put(UInt32(0))
        file.put(file.checksum)
        do throws(StorageError) {
            let new = try disk.open(Self.newName, .create)
            defer { disk.close(new) }
            try append(file.array, to: new, disk)
            try disk.sync(new)
            try disk.rename(Self.newName, to: Self.name)
            try disk.syncFolder()
        } catch {}
    }
}
