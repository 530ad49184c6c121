/// SQLite's write-ahead log as it lies on disk, read by SQLite's own rules (https://www.sqlite.org/fileformat2.html#the_write_ahead_log):
///
///     header   32 bytes: magic, version, page size, checkpoint number, two salts, two checksums of the 24 bytes before
///     frames   24 bytes: page, pages after the commit or 0, two salts, two checksums; then the page
///
/// All numbers are big-endian; the last bit of the magic says in which order the checksums take the words of a page. The checksums run on from
/// the header through all frames, so that each frame vouches for all before it.
struct WriteAheadLog {
    static let headerBytes = 32
    static let frameHeadBytes = 24

    let bytes: UnsafeRawBufferPointer
    let pageBytes: Int
    let isBigEndian: Bool

    /// - Parameter pageBytes: of the database: what counts where the log's own header cannot be believed.
    init(_ bytes: UnsafeRawBufferPointer, pageBytes fallback: Int) {
        self.bytes = bytes
        let magic = bytes.count >= 4 ? Self.word(bytes, 0) : 0
        isBigEndian = magic & 1 == 1
        let said = bytes.count >= Self.headerBytes ? Int(Self.word(bytes, 8)) : 0
        let isSize = (512...65_536).contains(said) && said & (said - 1) == 0
        pageBytes = isSize ? said : fallback
    }

    /// Whole frames that fit into the file, sound or not.
    var frames: Int {
        max(0, bytes.count - Self.headerBytes) / (Self.frameHeadBytes + pageBytes)
    }

    /// The header can be believed. SQLite takes a log whose header cannot be for an empty one.
    var hasHeader: Bool {
        guard bytes.count >= Self.headerBytes, word(0) & ~1 == 0x377f_0682,
            Int(word(8)) == pageBytes
        else { return false }
        return LogSum().adding(bytes[..<24], isBigEndian) == storedHeaderSum
    }

    var storedHeaderSum: LogSum { LogSum(first: word(24), second: word(28)) }

    /// Both salts as they lie there.
    var salts: UInt64 { UInt64(word(16)) << 32 | UInt64(word(20)) }

    /// Where a frame begins; the first one is number 1.
    func offset(of frame: Int) -> Int {
        Self.headerBytes + (frame - 1) * (Self.frameHeadBytes + pageBytes)
    }

    func page(of frame: Int) -> Int { Int(word(offset(of: frame))) }

    /// Pages of the database after the transaction that this frame ends; 0 within one.
    func commit(of frame: Int) -> Int { Int(word(offset(of: frame) + 4)) }

    func salts(of frame: Int) -> UInt64 {
        let start = offset(of: frame)
        return UInt64(word(start + 8)) << 32 | UInt64(word(start + 12))
    }

    func storedSum(of frame: Int) -> LogSum {
        let start = offset(of: frame)
        return LogSum(first: word(start + 16), second: word(start + 20))
    }

    func content(of frame: Int) -> Slice<UnsafeRawBufferPointer> {
        let start = offset(of: frame) + Self.frameHeadBytes
        return bytes[start..<start + pageBytes]
    }

    /// Whether a frame was written when the sum before it was `sum`.
    func continues(_ sum: LogSum, _ frame: Int) -> Bool {
        guard page(of: frame) != 0 else { return false }
        let start = offset(of: frame)
        return sum.adding(bytes[start..<start + 8], isBigEndian)
            .adding(content(of: frame), isBigEndian) == storedSum(of: frame)
    }

    private func word(_ offset: Int) -> UInt32 { Self.word(bytes, offset) }

    private static func word(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt32 {
        UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
}

/// The running checksum of the log and of its index.
struct LogSum: Equatable {
    var first: UInt32 = 0
    var second: UInt32 = 0

    /// - Parameter bytes: a multiple of eight.
    func adding(_ bytes: Slice<UnsafeRawBufferPointer>, _ isBigEndian: Bool) -> LogSum {
        let words = UnsafeRawBufferPointer(rebasing: bytes)
        var sum = self
        var offset = 0
        while offset + 8 <= words.count {
            let one = words.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
            let two = words.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)
            sum.first &+= (isBigEndian ? one.bigEndian : one.littleEndian) &+ sum.second
            sum.second &+= (isBigEndian ? two.bigEndian : two.littleEndian) &+ sum.first
            offset += 8
        }
        return sum
    }
}

/// The head of the log's index (`-shm`), which SQLite keeps in memory that is mapped from a file (https://www.sqlite.org/walformat.html): twice the
/// same 48 bytes in the machine's order, then how many frames have been copied into the database.
///
/// It is written after a commit has been synced, so that what it calls committed is. A power cut may leave an old one, never one that is
/// ahead.
struct LogIndex {
    /// The newest committed frame.
    let newest: Int
    /// Frames that have been copied into the database.
    let copied: Int
    let salts: UInt64

    /// `nil` where it cannot be believed; SQLite builds it anew then.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= 100, bytes[..<48].elementsEqual(bytes[48..<96]) else { return nil }
        func word(_ offset: Int) -> UInt32 {
            bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
        }
        let isBigEndian = 1.bigEndian == 1
        let sum = LogSum().adding(bytes[..<40], isBigEndian)
        guard word(0) == 3_007_000, bytes[12] == 1,
            sum == LogSum(first: word(40), second: word(44))
        else { return nil }
        newest = Int(word(16))
        copied = Int(word(96))
        // The salts are kept as they lie in the log.
        salts = UInt64(word(32).bigEndian) << 32 | UInt64(word(36).bigEndian)
    }
}
