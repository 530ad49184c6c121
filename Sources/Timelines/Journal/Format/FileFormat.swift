package import BelfryCore

/// What every file begins with, so that a foreign or newer file is never read as ours:
///
///     offset size
///       0     8   magic
///       8     4   format version
///      12     4   reserved, 0
///      16     8   number of the file
///      24     4   reserved, 0
///      28     4   CRC-32C of the 28 bytes before
///
/// A version is raised when an older program must not read the file; what is added compatibly keeps it.
package enum FileFormat {
    package static let headerBytes = 32

    package enum Kind: UInt64 {
        // The eight letters, as a little-endian number.
        case journal = 0x314a_5952_464c_4542  // BELFRYJ1
        case run = 0x3152_5952_464c_4542  // BELFRYR1
        case manifest = 0x314d_5952_464c_4542  // BELFRYM1
        case newest = 0x314e_5952_464c_4542  // BELFRYN1
        case layout = 0x314c_5952_464c_4542  // BELFRYL1
        /// What a timeline on other servers keeps here until they have it for certain.
        case intents = 0x3149_5952_464c_4542  // BELFRYI1

        /// The format that is written, and the only one that is read.
        var version: UInt32 { self == .run ? 2 : 1 }
    }

    static let manifestName = "MANIFEST"
    static let newManifestName = "MANIFEST.new"
    static let layoutName = "LAYOUT"
    static let newLayoutName = "LAYOUT.new"

    static func journalName(_ number: UInt64) -> String { "journal-\(hex(number)).log" }
    static func runName(_ number: UInt32) -> String { "run-\(hex(UInt64(number))).run" }

    static func journalNumber(_ name: String) -> UInt64? { number(name, "journal-", ".log") }
    static func runNumber(_ name: String) -> UInt32? {
        number(name, "run-", ".run").flatMap { UInt32(exactly: $0) }
    }

    /// Whether a lane gives its files such names.
    static func isOfLane(_ name: String) -> Bool {
        [manifestName, newManifestName, NewestSegment.name, NewestSegment.newName].contains(name)
            || journalNumber(name) != nil
            || runNumber(name) != nil
    }

    package static func header(_ kind: Kind, number: UInt64) -> [UInt8] {
        var bytes = Bytes()
        bytes.put(kind.rawValue)
        bytes.put(kind.version)
        bytes.put(UInt32(0))
        bytes.put(number)
        bytes.put(UInt32(0))
        bytes.put(bytes.checksum)
        return bytes.array
    }

    /// - Throws: `newerFormat` or `corrupt`, naming the file.
    package static func checkHeader(
        _ bytes: UnsafeRawBufferPointer,
        _ kind: Kind,
        number: UInt64,
        file: String
    ) throws(TimelineError) {
        guard bytes.count >= headerBytes,
            bytes.loadUnaligned(as: UInt64.self) == kind.rawValue
        else { throw TimelineError(.corrupt, "\(file), byte 0: not a file of this kind") }
        let found = bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self)
        let crc = bytes.loadUnaligned(fromByteOffset: 28, as: UInt32.self)
        guard Checksum.crc(UnsafeRawBufferPointer(rebasing: bytes[..<28])) == crc else {
            throw TimelineError(.corrupt, "\(file), byte 0: the head of the file is damaged")
        }
        guard found <= kind.version else {
            throw TimelineError(
                .newerFormat,
                "\(file) has format \(found); this program reads up to \(kind.version)"
            )
        }
        guard found == kind.version else {
            throw TimelineError(
                .corrupt,
                "\(file) has format \(found), from before the first release; this program reads \(kind.version)"
            )
        }
        guard bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self) == number else {
            throw TimelineError(.corrupt, "\(file), byte 16: the file carries another number")
        }
    }

    private static func hex(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    private static func number(_ name: String, _ prefix: String, _ suffix: String) -> UInt64? {
        guard name.hasPrefix(prefix), name.hasSuffix(suffix) else { return nil }
        return UInt64(name.dropFirst(prefix.count).dropLast(suffix.count), radix: 16)
    }
}

/// Collects little-endian values.
struct Bytes {
    var array: [UInt8] = []

    mutating func put<Value: BitwiseCopyable>(_ value: Value) {
        withUnsafeBytes(of: value) { array.append(contentsOf: $0) }
    }

    mutating func put(_ text: String) {
        put(UInt16(text.utf8.count))
        array.append(contentsOf: text.utf8)
    }

    var checksum: UInt32 { array.withUnsafeBytes { Checksum.crc($0) } }
}

/// Takes little-endian values from a buffer, and remembers if it ran short.
struct ByteReader {
    let bytes: UnsafeRawBufferPointer
    var offset = 0
    var isShort = false

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    mutating func take<Value: BitwiseCopyable>(_: Value.Type, or empty: Value) -> Value {
        let end = offset + MemoryLayout<Value>.size
        guard end <= bytes.count else {
            isShort = true
            return empty
        }
        defer { offset = end }
        return bytes.loadUnaligned(fromByteOffset: offset, as: Value.self)
    }

    mutating func take(_ count: Int) -> UnsafeRawBufferPointer {
        guard count >= 0, count <= bytes.count - offset else {
            isShort = true
            return UnsafeRawBufferPointer(start: nil, count: 0)
        }
        defer { offset += count }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
    }

    mutating func text() -> String {
        let count = Int(take(UInt16.self, or: 0))
        return String(decoding: take(count), as: UTF8.self)
    }
}
