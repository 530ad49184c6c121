import BelfryCore
import CBelfryDisk

/// One push on its way into a run. The pointer is into memory that stays as it is until the run has been written.
struct RunDraft: BitwiseCopyable {
    /// Whoever made it knows it by this.
    var origin: UInt32
    /// The arena chunk that it lies in, if it lies in one.
    var chunk = NearPush.none
    var record: UnsafeRawPointer
    var due: Int64
    var sequence: UInt64
    var accepted: Int64
    var attempt: UInt32 = 0
    var account: UInt32
    /// Its number among the merge groups of the checkpoint.
    var group = NearPush.none
    var band: UInt8
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

/// Writes one run file, and syncs it.
struct RunWriter<Disk: Storage>: ~Copyable {
    /// What is handed to the disk at a time, bytes.
    private static var pieceBytes: Int { 1 << 20 }

    private let disk: Disk
    private let file: FileID
    private let key: HashKey
    private let groups: [GroupDraft]
    private let blockBytes: Int
    /// What has not been handed to the disk.
    private var buffer: UnsafeMutableRawBufferPointer
    private var filled = 0
    private var written = 0
    private var blocks: [RunBlock] = []
    private var blockStart = 0
    private var blockCount: UInt32 = 0
    private var ordinal: UInt32 = 0
    private var identities: [RunIdentity] = []
    private var merges: [RunMerge] = []

    /// - Parameter order: indices of `drafts`, as ``RunOrder`` has them.
    /// - Returns: the run, open for reading. On failure the file is removed.
    static func write(
        _ drafts: [RunDraft],
        in order: [UInt32],
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
            try writer.write(drafts, order, number)
            return Run(
                number: number,
                file: file,
                size: writer.written,
                count: order.count,
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
        buffer = .allocate(byteCount: Self.pieceBytes + 2 * blockBytes, alignment: 16)
    }

    deinit { buffer.deallocate() }

    private var end: Int { written + filled }

    private mutating func write(_ drafts: [RunDraft], _ order: [UInt32], _ number: UInt32)
        throws(StorageError)
    {
        identities.reserveCapacity(order.count)
        let head = FileFormat.header(.run, number: UInt64(number))
        head.withUnsafeBytes { put($0) }
        blockStart = filled
        var first: RunDraft?
        for (place, index) in order.enumerated() {
            // Records lie anywhere in a large buffer: asked for a little ahead, their cache misses overlap.
            if place + 8 < order.count { prefetch(drafts[Int(order[place + 8])].record) }
            let draft = drafts[Int(index)]
            if let begun = first, begun.band != draft.band || end - blockStart >= blockBytes {
                try endBlock(begun)
                first = nil
            }
            first = first ?? draft
            put(draft)
        }
        if let first { try endBlock(first) }
        try finish()
    }

    @inline(__always)
    private func prefetch(_ record: UnsafeRawPointer) {
        belfry_prefetch(record)
        belfry_prefetch(record + 64)
        belfry_prefetch(record + 128)
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
        var entry = RunEntry(
            length: UInt32(RunEntry.bytes) + header.length,
            attempt: draft.attempt,
            sequence: draft.sequence,
            accepted: draft.accepted
        )
        let record = UnsafeRawBufferPointer(start: draft.record, count: Int(header.length))
        if draft.group == NearPush.none {
            withUnsafeBytes(of: entry) { put($0) }
            put(record)
        } else {
            put(&entry, record, groups[Int(draft.group)])
        }
        blockCount += 1
        ordinal += 1
    }

    private mutating func put(
        _ entry: inout RunEntry,
        _ record: UnsafeRawBufferPointer,
        _ group: GroupDraft
    ) {
        if let hash = group.head { merges.append(RunMerge(hash: hash, ordinal: ordinal)) }
        let collected = group.collected.reduce(0) { $0 + $1.count }
        entry.length += UInt32(RunGroup.bytes + collected)
        entry.hasGroup = true
        withUnsafeBytes(of: entry) { put($0) }
        let fixed = RunGroup(
            first: group.first,
            last: group.last,
            collected: UInt32(group.collected.count)
        )
        withUnsafeBytes(of: fixed) { put($0) }
        put(record)
        for other in group.collected { put(other) }
    }

    private mutating func endBlock(_ first: RunDraft) throws(StorageError) {
        let start = blockStart - written
        blocks.append(
            RunBlock(
                offset: UInt64(blockStart),
                firstDue: first.due,
                length: UInt32(end - blockStart),
                count: blockCount,
                firstOrdinal: ordinal - blockCount,
                crc: Checksum.crc(UnsafeRawBufferPointer(rebasing: buffer[start..<filled])),
                band: UInt32(first.band)
            )
        )
        blockStart = end
        blockCount = 0
        if filled >= Self.pieceBytes { try handOver() }
    }

    private mutating func finish() throws(StorageError) {
        var footer = RunFooter()
        footer.blocks = UInt32(blocks.count)
        footer.count = ordinal
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
        withUnsafeBytes(of: footer) { put($0) }
        try handOver()
        try disk.sync(file)
    }

    /// Puts in a list as it lies in memory.
    private mutating func section<Value: BitwiseCopyable>(_ list: [Value]) -> UInt32 {
        list.withUnsafeBytes {
            put($0)
            return Checksum.crc($0)
        }
    }

    @inline(__always)
    private mutating func put(_ bytes: UnsafeRawBufferPointer) {
        if filled + bytes.count > buffer.count { grow(by: bytes.count) }
        UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]).copyMemory(from: bytes)
        filled += bytes.count
    }

    private mutating func grow(by count: Int) {
        let larger = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(2 * buffer.count, filled + count),
            alignment: 16
        )
        larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[..<filled]))
        buffer.deallocate()
        buffer = larger
    }

    private mutating func handOver() throws(StorageError) {
        try disk.append(UnsafeRawBufferPointer(rebasing: buffer[..<filled]), to: file)
        // A commit of the journal meanwhile would wait for all of the run that the system has put off writing.
        disk.writeBack(file, written..<written + filled)
        written += filled
        filled = 0
    }
}
