import BelfryCore

/// What is whole in a run: blocks whose checksum is right, found by the directory, by what is left of it, or by looking for its entries.
struct RunSalvage {
    struct Block {
        var range: Range<Int>
        /// The number of its first entry in the run.
        var firstOrdinal: UInt32
        var count: UInt32
        var isSound: Bool
    }

    let bytes: UnsafeRawBufferPointer
    private let key: HashKey
    private(set) var blocks: [Block] = []
    /// Entries that others may join; empty where that cannot be believed.
    private(set) var merges: [UInt32: PushHash] = [:]
    /// Where the identities lie, if they are whole.
    private var identities: Range<Int>?
    /// Damage beside the blocks.
    private(set) var lost: [LostRange] = []

    /// - Throws: `newerFormat`.
    init(_ bytes: UnsafeRawBufferPointer, number: UInt32, key: HashKey) throws(TimelineError) {
        self.bytes = bytes
        self.key = key
        do throws(TimelineError) {
            let name = FileFormat.runName(number)
            try FileFormat.checkHeader(bytes, .run, number: UInt64(number), file: name)
        } catch {
            guard error.code == .corrupt else { throw error }
            lose(0..<min(FileFormat.headerBytes, bytes.count), "the head of the file is damaged")
        }
        guard let footer = Self.footer(bytes) else {
            lose(max(0, bytes.count - RunFooter.bytes)..<bytes.count, "the footer is damaged")
            findBlocks()
            return
        }
        readMerges(footer)
        let list = section(footer.identitiesOffset, Int(footer.count) * RunIdentity.bytes)
        if let list, crc(list) != footer.identitiesCRC {
            lose(
                list,
                "the list of identities is damaged; what was retried is due as it was at first"
            )
        } else {
            identities = list
        }
        readBlocks(footer)
    }

    /// A block alone.
    init(block bytes: UnsafeRawBufferPointer, key: HashKey) {
        self.bytes = bytes
        self.key = key
    }

    /// When an entry is due: by its identity, without that by what was asked for and what it has merged with.
    func due(_ entry: Entry, _ ordinal: UInt32) -> Int64 {
        if let identities, let identity = identity(ordinal, in: identities) { return identity.due }
        let header = entry.record.loadUnaligned(as: PushHeader.self)
        guard let group = entry.group else { return header.due }
        return min(group.first + Int64(header.maxWait), group.last + Int64(header.grace))
    }

    private static func footer(_ bytes: UnsafeRawBufferPointer) -> RunFooter? {
        guard bytes.count >= FileFormat.headerBytes + RunFooter.bytes else { return nil }
        let tail = UnsafeRawBufferPointer(rebasing: bytes[(bytes.count - RunFooter.bytes)...])
        let footer = tail.loadUnaligned(as: RunFooter.self)
        let covered = UnsafeRawBufferPointer(rebasing: tail[..<(RunFooter.bytes - 4)])
        return Checksum.crc(covered) == footer.crc ? footer : nil
    }

    private mutating func readMerges(_ footer: RunFooter) {
        guard let range = section(footer.mergesOffset, Int(footer.merges) * RunMerge.bytes) else {
            return
        }
        guard crc(range) == footer.mergesCRC else {
            return lose(range, "the list of merges is damaged; nothing joins these pushes any more")
        }
        for start in stride(from: range.lowerBound, to: range.upperBound, by: RunMerge.bytes) {
            let merge = bytes.loadUnaligned(fromByteOffset: start, as: RunMerge.self)
            merges[merge.ordinal] = merge.hash
        }
    }

    // MARK: By the directory

    private mutating func readBlocks(_ footer: RunFooter) {
        let count = Int(footer.blocks)
        guard let range = section(footer.directoryOffset, count * RunBlock.bytes) else {
            return findBlocks()
        }
        let list = stride(from: range.lowerBound, to: range.upperBound, by: RunBlock.bytes).map {
            bytes.loadUnaligned(fromByteOffset: $0, as: RunBlock.self)
        }
        if crc(range) == footer.directoryCRC {
            for entry in list {
                let place =
                    Int(clamping: entry.offset)..<Int(clamping: entry.offset) + Int(entry.length)
                add(place, entry.firstOrdinal, entry.count, isSound: isWhole(place, entry.crc))
            }
        } else {
            lose(
                range,
                "the directory is damaged; blocks were found by what is left of it and by their entries"
            )
            for (index, entry) in list.enumerated() {
                let next = index + 1 < count ? list[index + 1].offset : footer.directoryOffset
                resolve(entry, index, until: Int(clamping: next), range, footer.directoryCRC)
            }
            followEntries(until: range.lowerBound, count: footer.count)
        }
    }

    /// Where no whole block is known, follows the entries from one to the next as long as each is who the identities say. A checksum is not there to
    /// be asked: lengths that fit and a keyed hash of the id speak for each.
    private mutating func followEntries(until end: Int, count: UInt32) {
        guard let identities else { return }
        var found: [Block] = []
        var place = FileFormat.headerBytes
        var ordinal: UInt32 = 0
        let behind = Block(range: end..<end, firstOrdinal: count, count: 0, isSound: true)
        for block in blocks.filter(\.isSound) + [behind] {
            let start = (place, ordinal)
            while place < block.range.lowerBound, ordinal < block.firstOrdinal,
                let entry = entry(at: place, until: block.range.lowerBound),
                hash(entry) == identity(ordinal, in: identities)?.hash
            {
                place += Int(entry.fixed.length)
                ordinal += 1
            }
            if ordinal > start.1 {
                found.append(
                    Block(
                        range: start.0..<place,
                        firstOrdinal: start.1,
                        count: ordinal - start.1,
                        isSound: true
                    )
                )
            }
            if place < block.range.lowerBound {
                found.append(
                    Block(
                        range: place..<block.range.lowerBound,
                        firstOrdinal: ordinal,
                        count: block.firstOrdinal - min(ordinal, block.firstOrdinal),
                        isSound: false
                    )
                )
            }
            if block.count > 0 { found.append(block) }
            (place, ordinal) = (block.range.upperBound, block.firstOrdinal &+ block.count)
        }
        blocks = found
    }

    /// Which of these numbers an entry has, by the identities.
    private func number(of entry: Entry?, _ candidates: [UInt32]) -> UInt32? {
        guard let entry, let identities else { return nil }
        let hash = hash(entry)
        return candidates.first { identity($0, in: identities)?.hash == hash }
    }

    private func identity(_ ordinal: UInt32, in list: Range<Int>) -> RunIdentity? {
        let start = list.lowerBound + Int(ordinal) * RunIdentity.bytes
        guard start + RunIdentity.bytes <= list.upperBound else { return nil }
        return bytes.loadUnaligned(fromByteOffset: start, as: RunIdentity.self)
    }

    private func hash(_ entry: Entry) -> PushHash {
        let header = entry.record.loadUnaligned(as: PushHeader.self)
        let start = PushHeader.bytes
        return key.hash(
            UnsafeRawBufferPointer(rebasing: entry.record[start..<start + Int(header.idLength)])
        )
    }

    /// Finds the block of an entry of a damaged directory: blocks lie one behind the other, so that the neighbours tell what the entry does not.
    private mutating func resolve(
        _ entry: RunBlock,
        _ index: Int,
        until next: Int,
        _ directory: Range<Int>,
        _ directoryCRC: UInt32
    ) {
        let start = blocks.last?.range.upperBound ?? FileFormat.headerBytes
        let ordinal = blocks.last.map { $0.firstOrdinal + $0.count } ?? 0
        let own = Int(clamping: entry.offset)
        let length = Int(entry.length)
        let ends = [(own, own &+ length), (start, start + length), (start, next)]
        let ranges = ends.filter { $0.0 >= start && $0.0 < $0.1 && $0.1 <= directory.lowerBound }
            .map { $0.0..<$0.1 }
        for range in ranges where isWhole(range, entry.crc) {
            let found = entries(in: range) ?? []
            let first = number(of: found.first, [entry.firstOrdinal, ordinal]) ?? ordinal
            return add(range, first, UInt32(found.count), isSound: true)
        }
        guard let range = ranges.last else { return }
        // Perhaps it is only the checksum in the directory that is wrong: then the directory is right with the right one.
        let isSound = isRight(directory, index, range, directoryCRC)
        let count = isSound ? UInt32(entries(in: range)?.count ?? 0) : entry.count
        add(range, ordinal, count, isSound: isSound)
    }

    private func isRight(_ directory: Range<Int>, _ index: Int, _ block: Range<Int>, _ sum: UInt32)
        -> Bool
    {
        var patched = Array(bytes[directory])
        let place = index * RunBlock.bytes + (MemoryLayout<RunBlock>.offset(of: \.crc) ?? 0)
        withUnsafeBytes(of: crc(block)) { patched.replaceSubrange(place..<place + 4, with: $0) }
        return patched.withUnsafeBytes { Checksum.crc($0) } == sum
    }

    // MARK: By looking

    /// Looks at every byte for an entry of the directory whose block is whole.
    private mutating func findBlocks() {
        guard bytes.count >= FileFormat.headerBytes + RunBlock.bytes else { return }
        var found: [Int: Block] = [:]
        var directory = bytes.count
        for place in stride(
            from: FileFormat.headerBytes,
            through: bytes.count - RunBlock.bytes,
            by: 1
        ) {
            let entry = bytes.loadUnaligned(fromByteOffset: place, as: RunBlock.self)
            guard entry.reserved == 0, entry.band < UInt32(ReadyQueue.bands), entry.count > 0,
                entry.offset >= UInt64(FileFormat.headerBytes), entry.offset < UInt64(place),
                entry.length > entry.count, Int(entry.offset) + Int(entry.length) <= place
            else { continue }
            let range = Int(entry.offset)..<Int(entry.offset) + Int(entry.length)
            guard isWhole(range, entry.crc) else { continue }
            directory = min(directory, place)
            found[range.lowerBound] = Block(
                range: range,
                firstOrdinal: entry.firstOrdinal,
                count: entry.count,
                isSound: true
            )
        }
        blocks = found.values.sorted { $0.range.lowerBound < $1.range.lowerBound }
        var end = FileFormat.headerBytes
        for start in blocks.map(\.range.lowerBound) + [directory] {
            let gap = end..<max(end, start)
            if bytes[gap].contains(where: { $0 != 0 }) { lose(gap, "no whole block lies here") }
            end = blocks.first { $0.range.lowerBound == start }?.range.upperBound ?? start
        }
    }

    // MARK: Entries

    struct Entry {
        var fixed: RunEntry
        var group: RunGroup?
        var record: UnsafeRawBufferPointer
        var collected: [UnsafeRawBufferPointer]
    }

    /// The entries of a block; `nil` where it does not consist of whole ones.
    func entries(in range: Range<Int>) -> [Entry]? {
        var entries: [Entry] = []
        var offset = range.lowerBound
        while offset < range.upperBound {
            guard let entry = entry(at: offset, until: range.upperBound) else { return nil }
            entries.append(entry)
            offset += Int(entry.fixed.length)
        }
        return entries
    }

    private func entry(at offset: Int, until end: Int) -> Entry? {
        guard end - offset >= RunEntry.bytes else { return nil }
        let fixed = bytes.loadUnaligned(fromByteOffset: offset, as: RunEntry.self)
        var place = offset + RunEntry.bytes
        let last = offset + Int(fixed.length)
        guard last <= end, last >= place + fixed.groupBytes else { return nil }
        var group: RunGroup?
        if fixed.groupBytes > 0 {
            group = bytes.loadUnaligned(fromByteOffset: place, as: RunGroup.self)
            place += fixed.groupBytes
        }
        var records: [UnsafeRawBufferPointer] = []
        while place < last {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[place..<last])
            let length = rest.withMemoryRebound(to: UInt8.self) {
                PushRecord($0.span, at: 0)?.length
            }
            guard let length else { return nil }
            records.append(UnsafeRawBufferPointer(rebasing: rest[..<length]))
            place += length
        }
        guard let first = records.first else { return nil }
        return Entry(
            fixed: fixed,
            group: group,
            record: first,
            collected: Array(records.dropFirst())
        )
    }

    private func isWhole(_ range: Range<Int>, _ sum: UInt32) -> Bool {
        range.lowerBound >= FileFormat.headerBytes && range.upperBound <= bytes.count
            && crc(range) == sum && entries(in: range) != nil
    }

    private func section(_ offset: UInt64, _ count: Int) -> Range<Int>? {
        let start = Int(clamping: offset)
        guard start >= FileFormat.headerBytes, start <= bytes.count, count <= bytes.count - start
        else { return nil }
        return start..<start + count
    }

    private func crc(_ range: Range<Int>) -> UInt32 {
        Checksum.crc(UnsafeRawBufferPointer(rebasing: bytes[range]))
    }

    private mutating func add(
        _ range: Range<Int>,
        _ ordinal: UInt32,
        _ count: UInt32,
        isSound: Bool
    ) {
        blocks.append(Block(range: range, firstOrdinal: ordinal, count: count, isSound: isSound))
    }

    private mutating func lose(_ range: Range<Int>, _ reason: String) {
        lost.append(LostRange(range: range, reason: reason))
    }
}
