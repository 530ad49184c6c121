import BelfryCore

/// One push on its way into a run: as little as must be taken down on the lane's thread. The pointers are into arena chunks that the lane keeps
/// until the checkpoint has ended.
struct RunDraft: BitwiseCopyable {
    /// Its number among the near pushes.
    var near: UInt32
    var chunk: UInt32
    var record: UnsafeRawPointer
    var due: Int64
    var sequence: UInt64
    var accepted: Int64
    var attempt: UInt32
    var account: UInt32
    /// Its number among the merge groups of the checkpoint.
    var group = NearPush.none
    var band: UInt8

    static func < (a: RunDraft, b: RunDraft) -> Bool {
        if a.band != b.band { return a.band < b.band }
        if a.due != b.due { return a.due < b.due }
        return a.sequence < b.sequence
    }
}

/// The merge group of a draft.
struct GroupDraft {
    var first: Int64
    var last: Int64
    var collected: [UnsafeRawBufferPointer]
    var chunks: [UInt32]
    /// Others may join it.
    var head: PushHash?
}

/// Writes one run file from sorted drafts, and syncs it.
struct RunWriter<Disk: Storage> {
    private let disk: Disk
    private let file: FileID
    private let key: HashKey
    private let groups: [GroupDraft]
    private let blockBytes: Int
    /// What has not been handed to the disk.
    private var buffer: [UInt8] = []
    private var written = 0
    private var blocks: [RunBlock] = []
    private var blockStart = 0
    private var blockCount: UInt32 = 0
    private var ordinal: UInt32 = 0
    private var identities: [RunIdentity] = []
    private var merges: [RunMerge] = []

    /// - Returns: the run, open for reading. On failure the file is removed.
    static func write(
        _ drafts: [RunDraft],
        _ groups: [GroupDraft],
        number: UInt32,
        key: HashKey,
        to disk: Disk,
        blockBytes: Int
    ) throws(StorageError) -> Run {
        let name = FileFormat.runName(number)
        let file = try disk.open(name, .create)
        do throws(StorageError) {
            var writer = RunWriter(disk, file, key, groups, blockBytes)
            try writer.write(drafts, number)
            return Run(
                number: number,
                file: file,
                size: writer.written,
                count: drafts.count,
                blocks: writer.blocks,
                dead: []
            )
        } catch {
            disk.close(file)
            // What cannot be removed now is a stray that the next opening removes.
            try? disk.remove(name)
            throw error
        }
    }

    private init(
        _ disk: Disk,
        _ file: FileID,
        _ key: HashKey,
        _ groups: [GroupDraft],
        _ blockBytes: Int
    ) {
        self.disk = disk
        self.file = file
        self.key = key
        self.groups = groups
        self.blockBytes = blockBytes
    }

    private var end: Int { written + buffer.count }

    private mutating func write(_ drafts: [RunDraft], _ number: UInt32) throws(StorageError) {
        identities.reserveCapacity(drafts.count)
        buffer.reserveCapacity((1 << 20) + 2 * blockBytes)
        buffer += FileFormat.header(.run, number: UInt64(number))
        blockStart = buffer.count
        for (index, draft) in drafts.enumerated() {
            if index > 0, drafts[index - 1].band != draft.band || end - blockStart >= blockBytes {
                try endBlock(drafts[index - Int(blockCount)])
            }
            put(draft)
        }
        if let last = drafts.indices.last { try endBlock(drafts[last + 1 - Int(blockCount)]) }
        try finish(drafts)
    }

    private mutating func put(_ draft: RunDraft) {
        let header = draft.record.loadUnaligned(as: PushHeader.self)
        let id = UnsafeRawBufferPointer(
            start: draft.record + PushHeader.bytes,
            count: Int(header.idLength)
        )
        identities.append(
            RunIdentity(hash: key.hash(id), due: draft.due, account: draft.account)
        )
        let group = draft.group == NearPush.none ? nil : groups[Int(draft.group)]
        let collected = group?.collected ?? []
        if let hash = group?.head { merges.append(RunMerge(hash: hash, ordinal: ordinal)) }
        let entry = RunEntry(
            length: UInt32(
                RunEntry.bytes + Int(header.length) + collected.reduce(0) { $0 + $1.count }
            ),
            attempt: draft.attempt,
            sequence: draft.sequence,
            accepted: draft.accepted,
            due: draft.due,
            mergeFirst: group?.first ?? 0,
            mergeLast: group?.last ?? 0,
            collected: UInt32(collected.count),
            flags: group == nil ? 0 : 1
        )
        withUnsafeBytes(of: entry) { buffer.append(contentsOf: $0) }
        let record = UnsafeRawBufferPointer(start: draft.record, count: Int(header.length))
        buffer.append(contentsOf: record)
        for record in collected { buffer.append(contentsOf: record) }
        blockCount += 1
        ordinal += 1
    }

    private mutating func endBlock(_ first: RunDraft) throws(StorageError) {
        let start = blockStart - written
        let crc = buffer.withUnsafeBytes {
            Checksum.crc(UnsafeRawBufferPointer(rebasing: $0[start...]))
        }
        blocks.append(
            RunBlock(
                offset: UInt64(blockStart),
                firstDue: first.due,
                length: UInt32(end - blockStart),
                count: blockCount,
                firstOrdinal: ordinal - blockCount,
                crc: crc,
                band: UInt32(first.band)
            )
        )
        blockStart = end
        blockCount = 0
        if buffer.count >= 1 << 20 { try handOver() }
    }

    private mutating func finish(_ drafts: [RunDraft]) throws(StorageError) {
        var footer = RunFooter()
        footer.blocks = UInt32(blocks.count)
        footer.count = UInt32(drafts.count)
        footer.directoryOffset = UInt64(end)
        footer.directoryCRC = section(blocks)
        footer.identitiesOffset = UInt64(end)
        footer.identitiesCRC = section(identities)
        footer.merges = UInt32(merges.count)
        footer.mergesOffset = UInt64(end)
        footer.mergesCRC = section(merges)
        footer.crc = withUnsafeBytes(of: footer) {
            Checksum.crc(UnsafeRawBufferPointer(rebasing: $0[..<(RunFooter.bytes - 4)]))
        }
        withUnsafeBytes(of: footer) { buffer.append(contentsOf: $0) }
        try handOver()
        try disk.sync(file)
    }

    /// Appends a list as it lies in memory.
    private mutating func section<Value: BitwiseCopyable>(_ list: [Value]) -> UInt32 {
        list.withUnsafeBytes {
            buffer.append(contentsOf: $0)
            return Checksum.crc($0)
        }
    }

    private mutating func handOver() throws(StorageError) {
        try append(buffer, to: file, disk)
        written += buffer.count
        buffer.removeAll(keepingCapacity: true)
    }
}
