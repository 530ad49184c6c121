import BelfryCore

/// What the folder consists of: the one file that is replaced as a whole, so that a crash leaves the old state or the new one.
struct Manifest {
    var key: HashKey
    /// The next acceptance number at the checkpoint.
    var sequence: UInt64
    /// The first journal segment whose frames are not contained in the runs.
    var journalStart: UInt64
    var nextRun: UInt32
    /// Account names by number, as runs refer to them.
    var accounts: [String]
    var runs: [Entry]
    /// The next acceptance number is so much higher: as many as there are lanes, so that no two of them give the same.
    var stride: UInt32

    struct Entry {
        var number: UInt32
        var size: UInt64
        var count: UInt32
        /// One bit a push: it does not count any more.
        var dead: [UInt64]
    }

    /// File header, length, CRC, content.
    func encoded() -> [UInt8] {
        var content = Bytes()
        content.put(key.first)
        content.put(key.second)
        content.put(sequence)
        content.put(journalStart)
        content.put(nextRun)
        content.put(UInt32(accounts.count))
        for name in accounts { content.put(name) }
        content.put(UInt32(runs.count))
        for run in runs {
            content.put(run.number)
            content.put(run.count)
            content.put(run.size)
            content.put(UInt32(run.dead.count))
            run.dead.withUnsafeBytes { content.array.append(contentsOf: $0) }
        }
        content.put(stride)
        var file = Bytes(array: FileFormat.header(.manifest, number: 0))
        file.put(UInt64(content.array.count))
        file.put(content.checksum)
        return file.array + content.array
    }

    /// - Returns: `nil` where there is none.
    /// - Throws: `corrupt`, `newerFormat`, `io`.
    init?(on disk: some Storage) throws(TimelineError) {
        let file: WholeFile
        do throws(StorageError) { file = try WholeFile(FileFormat.manifestName, on: disk) } catch {
            if error.kind == .missing { return nil }
            throw TimelineError(error)
        }
        try self.init(file.bytes)
    }

    /// - Throws: `corrupt`, `newerFormat`.
    init(_ bytes: UnsafeRawBufferPointer) throws(TimelineError) {
        let name = FileFormat.manifestName
        try FileFormat.checkHeader(bytes, .manifest, number: 0, file: name)
        var reader = ByteReader(bytes)
        _ = reader.take(FileFormat.headerBytes)
        let length = Int(clamping: reader.take(UInt64.self, or: 0))
        let crc = reader.take(UInt32.self, or: 0)
        let content = reader.take(length)
        guard !reader.isShort, Checksum.crc(content) == crc else {
            throw TimelineError(.corrupt, "\(name), byte \(FileFormat.headerBytes): is damaged")
        }
        self.init(content: ByteReader(content))
    }

    private init(content: ByteReader) {
        var reader = content
        key = HashKey(
            first: reader.take(UInt64.self, or: 0),
            second: reader.take(UInt64.self, or: 0)
        )
        sequence = reader.take(UInt64.self, or: 0)
        journalStart = reader.take(UInt64.self, or: 0)
        nextRun = reader.take(UInt32.self, or: 0)
        accounts = []
        for _ in 0..<reader.take(UInt32.self, or: 0) { accounts.append(reader.text()) }
        runs = []
        for _ in 0..<reader.take(UInt32.self, or: 0) {
            let number = reader.take(UInt32.self, or: 0)
            let count = reader.take(UInt32.self, or: 0)
            let size = reader.take(UInt64.self, or: 0)
            var dead: [UInt64] = []
            for _ in 0..<reader.take(UInt32.self, or: 0) {
                dead.append(reader.take(UInt64.self, or: 0))
            }
            runs.append(Entry(number: number, size: size, count: count, dead: dead))
        }
        // Not there where a program without lanes has written it.
        stride = reader.take(UInt32.self, or: 1)
    }

    /// A folder that holds nothing yet.
    init(key: HashKey, sequence: UInt64 = 1, stride: UInt32 = 1) {
        self.key = key
        self.sequence = sequence
        self.stride = stride
        journalStart = 1
        nextRun = 1
        accounts = []
        runs = []
    }

    /// Takes the place of the old manifest, or changes nothing.
    func write(to disk: some Storage) throws(StorageError) {
        try put(on: disk)
        try disk.syncFolder()
    }

    /// Takes the place of the old manifest, or changes nothing. A power cut may undo it until the folder is synced.
    func put(on disk: some Storage) throws(StorageError) {
        let file = try disk.open(FileFormat.newManifestName, .create)
        defer { disk.close(file) }
        try append(encoded(), to: file, disk)
        try disk.sync(file)
        try disk.rename(FileFormat.newManifestName, to: FileFormat.manifestName)
    }
}
