import BelfryCore

/// Reading a run whose lists are whole: block by block, so that memory holds only a part of it at a time. One with damaged lists is read as a whole, to
/// be searched.
extension JournalSalvage {
    /// What is read of a run before it is written.
    static var batchBytes: Int { 32 << 20 }

    /// - Returns: `false` where the run's lists are not whole, and nothing was done.
    mutating func readByBlocks(_ number: UInt32, _ entry: Manifest.Entry?, _ drop: Drop)
        throws(TimelineError) -> Bool
    {
        let lists: RunLists<Disk>
        do throws(TimelineError) { lists = try RunLists(number, entry, on: disk) } catch {
            guard error.code == .corrupt else { throw error }
            return false
        }
        return try read(number, entry, lists, drop)
    }

    private mutating func read(
        _ number: UInt32,
        _ entry: Manifest.Entry?,
        _ lists: borrowing RunLists<Disk>,
        _ drop: Drop
    ) throws(TimelineError) -> Bool {
        let file = lists.reader.file
        defer { disk.close(file) }
        var batch = RunBatch<Disk>(
            bytes: max(Self.batchBytes, lists.blocks.map { Int($0.length) }.max() ?? 0)
        )
        for block in lists.blocks {
            let ordinals = block.firstOrdinal..<block.firstOrdinal &+ max(1, block.count)
            if let entry, ordinals.allSatisfy({ isDead($0, entry) }) { continue }
            if !batch.hasRoom(for: block) {
                try write(batch.drafts, batch.groups)
                batch.begin()
            }
            let bytes = try batch.read(block, by: lists.reader)
            guard Checksum.crc(bytes) == block.crc,
                let found = RunSalvage(block: bytes, key: key).entries(in: 0..<bytes.count)
            else {
                try lose(block, bytes, of: lists.reader.name, drop)
                continue
            }
            for (index, pushed) in found.enumerated() {
                let ordinal = block.firstOrdinal + UInt32(index)
                if let entry, isDead(ordinal, entry) { continue }
                if entry == nil, isOld(pushed, number) { continue }
                let head = entry == nil ? nil : lists.merges[ordinal]
                batch.drafts.append(
                    draft(pushed, due: lists.due(ordinal), head, &batch.groups)
                )
            }
        }
        try write(batch.drafts, batch.groups)
        return true
    }

    /// Blocks are short: one piece.
    private mutating func lose(
        _ block: RunBlock,
        _ bytes: UnsafeRawBufferPointer,
        of name: String,
        _ drop: Drop
    ) throws(TimelineError) {
        rebuilt.damaged.insert(name)
        rebuilt.pieces += 1
        rebuilt.bytes += Int(block.length)
        try drop(
            DroppedPiece(
                file: name,
                offset: Int(block.offset),
                length: Int(block.length),
                reason: "the block is damaged",
                bytes: Array(bytes)
            )
        )
    }
}

/// The lists of a run that say where its entries lie, and who they are.
private struct RunLists<Disk: Storage>: ~Copyable {
    let reader: RunReader<Disk>
    let blocks: [RunBlock]
    private(set) var merges: [UInt32: PushHash] = [:]
    private let identities: Section

    /// - Throws: `corrupt` where one of them is damaged; `newerFormat`, `io`.
    init(_ number: UInt32, _ entry: Manifest.Entry?, on disk: Disk) throws(TimelineError) {
        let reader = try RunReader(number, on: disk, expecting: entry.map { Int($0.size) })
        let lists: (blocks: [RunBlock], merges: [RunMerge])
        do throws(TimelineError) {
            lists = (try reader.blocks(), try reader.merges())
            identities = try reader.identities()
        } catch {
            disk.close(reader.file)
            throw error
        }
        self.reader = reader
        blocks = lists.blocks
        for merge in lists.merges { merges[merge.ordinal] = merge.hash }
    }

    func due(_ ordinal: UInt32) -> Int64 {
        identities.bytes.loadUnaligned(
            fromByteOffset: Int(ordinal) * RunIdentity.bytes,
            as: RunIdentity.self
        ).due
    }
}

/// Some blocks of a run in memory, and the entries of them that are kept.
private struct RunBatch<Disk: Storage>: ~Copyable {
    private let memory: UnsafeMutableRawBufferPointer
    private var used = 0
    var drafts: [RunDraft] = []
    var groups: [GroupDraft] = []

    init(bytes: Int) { memory = .allocate(byteCount: bytes, alignment: 16) }

    deinit { memory.deallocate() }

    func hasRoom(for block: RunBlock) -> Bool { Int(block.length) <= memory.count - used }

    mutating func begin() {
        used = 0
        drafts.removeAll(keepingCapacity: true)
        groups.removeAll(keepingCapacity: true)
    }

    /// Fewer bytes than the block has where the file ends too early.
    mutating func read(_ block: RunBlock, by reader: RunReader<Disk>) throws(TimelineError)
        -> UnsafeRawBufferPointer
    {
        let target = UnsafeMutableRawBufferPointer(
            rebasing: memory[used..<used + Int(block.length)]
        )
        let count = try onDisk { () throws(StorageError) in
            try reader.disk.read(reader.file, at: Int(clamping: block.offset), into: target)
        }
        used += count
        return UnsafeRawBufferPointer(rebasing: target[..<count])
    }
}
