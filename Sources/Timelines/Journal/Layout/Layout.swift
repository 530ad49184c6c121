import BelfryCore

/// What a timeline's folder consists of: so many lanes, each in a folder of its own, and the key that says whose pushes lie where.
///
/// It is the one file that is replaced when the pushes are spread over another number of lanes: a crash leaves the old folders in force, or the
/// new ones. Layout of the content behind the file header, its length (8) and its CRC-32C (4):
///
///     offset size
///       0     4   lanes
///       4     4   number of the set of folders: one higher at each spreading
///       8    16   key of the hashes
struct Layout: Equatable {
    static let lanesMax = 64

    var lanes: Int
    var set: UInt32 = 0
    /// Every lane hashes ids with it, and the front recipients.
    var key: HashKey

    /// The folder of each lane.
    var folders: [String] {
        (0..<lanes).map { set == 0 ? "lane-\($0)" : "lane-\($0).\(set)" }
    }

    static func isLaneFolder(_ name: String) -> Bool { name.hasPrefix("lane-") }

    init(lanes: Int, set: UInt32 = 0, key: HashKey) {
        self.lanes = lanes
        self.set = set
        self.key = key
    }

    /// - Returns: `nil` where there is none.
    /// - Throws: `corrupt`, `newerFormat`, `io`.
    init?(on disk: some Storage) throws(TimelineError) {
        let name = FileFormat.layoutName
        let file: WholeFile
        do throws(StorageError) { file = try WholeFile(name, on: disk) } catch {
            if error.kind == .missing { return nil }
            throw TimelineError(error)
        }
        try FileFormat.checkHeader(file.bytes, .layout, number: 0, file: name)
        var reader = ByteReader(file.bytes)
        _ = reader.take(FileFormat.headerBytes)
        let length = Int(clamping: reader.take(UInt64.self, or: 0))
        let crc = reader.take(UInt32.self, or: 0)
        let content = reader.take(length)
        var fields = ByteReader(content)
        lanes = Int(fields.take(UInt32.self, or: 0))
        set = fields.take(UInt32.self, or: 0)
        key = HashKey(
            first: fields.take(UInt64.self, or: 0),
            second: fields.take(UInt64.self, or: 0)
        )
        guard !reader.isShort, !fields.isShort, Checksum.crc(content) == crc,
            1...Self.lanesMax ~= lanes
        else {
            throw TimelineError(.corrupt, "\(name), byte \(FileFormat.headerBytes): is damaged")
        }
    }

    /// Takes the place of the old layout, or changes nothing.
    func write(to disk: some Storage) throws(StorageError) {
        var content = Bytes()
        content.put(UInt32(lanes))
        content.put(set)
        content.put(key.first)
        content.put(key.second)
        var bytes = Bytes(array: FileFormat.header(.layout, number: 0))
        bytes.put(UInt64(content.array.count))
        bytes.put(content.checksum)
        let file = try disk.open(FileFormat.newLayoutName, .create)
        defer { disk.close(file) }
        try append(bytes.array + content.array, to: file, disk)
        try disk.sync(file)
        try disk.rename(FileFormat.newLayoutName, to: FileFormat.layoutName)
        try disk.syncFolder()
    }
}

extension HashKey {
    /// The lane of the recipient of a packed push. The same recipient always has the same; two recipients whose account and person
    /// run together alike share one, which does no harm.
    @inline(__always)
    func lane(of record: UnsafeRawPointer, among lanes: Int) -> Int {
        let header = record.loadUnaligned(as: PushHeader.self)
        let recipient = UnsafeRawBufferPointer(
            start: record + PushHeader.bytes + Int(header.idLength),
            count: Int(header.accountLength) + Int(header.personLength)
        )
        // A shift binds tighter than a product.
        return Int(((hash(recipient).low >> 32) * UInt64(lanes)) >> 32)
    }
}
