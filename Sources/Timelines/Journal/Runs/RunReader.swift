import BelfryCore

/// Reads the parts of a run file, verifying each.
struct RunReader<Disk: Storage> {
    let disk: Disk
    let file: FileID
    let name: String
    let size: Int
    let footer: RunFooter

    /// - Throws: `corrupt`, `newerFormat`, `io`.
    init(_ number: UInt32, on disk: Disk, expecting size: Int?) throws(TimelineError) {
        self.disk = disk
        name = FileFormat.runName(number)
        let name = name
        do throws(StorageError) { file = try disk.open(name, .read) } catch {
            guard error.kind == .missing else { throw TimelineError(error) }
            throw TimelineError(.corrupt, "\(name), byte 0: the file is missing")
        }
        do throws(TimelineError) {
            let file = file
            let found = try onDisk { () throws(StorageError) in try disk.size(file) }
            // The run ends where the manifest says; what somebody has put behind it is nobody's.
            self.size = size ?? found
            guard self.size >= FileFormat.headerBytes + RunFooter.bytes, found >= self.size else {
                throw TimelineError(.corrupt, "\(name), byte \(found): the file is too short")
            }
            let head = try Section(disk, file, 0, FileFormat.headerBytes, name)
            try FileFormat.checkHeader(head.bytes, .run, number: UInt64(number), file: name)
            let offset = self.size - RunFooter.bytes
            let tail = try Section(disk, file, offset, RunFooter.bytes, name)
            footer = tail.bytes.loadUnaligned(as: RunFooter.self)
            let covered = UnsafeRawBufferPointer(rebasing: tail.bytes[..<(RunFooter.bytes - 4)])
            guard Checksum.crc(covered) == footer.crc else {
                throw TimelineError(.corrupt, "\(name), byte \(offset): the footer is damaged")
            }
        } catch {
            disk.close(file)
            throw error
        }
    }

    func blocks() throws(TimelineError) -> [RunBlock] {
        let count = Int(footer.blocks)
        let section = try section(
            footer.directoryOffset,
            count * RunBlock.bytes,
            footer.directoryCRC
        )
        return section.list(RunBlock.self, stride: RunBlock.bytes, count: count)
    }

    func merges() throws(TimelineError) -> [RunMerge] {
        let count = Int(footer.merges)
        let section = try section(footer.mergesOffset, count * RunMerge.bytes, footer.mergesCRC)
        return section.list(RunMerge.self, stride: RunMerge.bytes, count: count)
    }

    func identities() throws(TimelineError) -> Section {
        try section(
            footer.identitiesOffset,
            Int(footer.count) * RunIdentity.bytes,
            footer.identitiesCRC
        )
    }

    func block(_ block: RunBlock) throws(TimelineError) -> Section {
        try section(block.offset, Int(block.length), block.crc)
    }

    private func section(_ offset: UInt64, _ count: Int, _ crc: UInt32) throws(TimelineError)
        -> Section
    {
        let section = try Section(disk, file, Int(clamping: offset), count, name)
        guard Checksum.crc(section.bytes) == crc else {
            throw TimelineError(.corrupt, "\(name), byte \(offset): the data is damaged")
        }
        return section
    }
}

/// Some bytes of a file, in memory.
struct Section: ~Copyable {
    let bytes: UnsafeRawBufferPointer

    init(_ disk: some Storage, _ file: FileID, _ offset: Int, _ count: Int, _ name: String)
        throws(TimelineError)
    {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, count), alignment: 16)
        let target = UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
        do throws(TimelineError) {
            let found = try onDisk { () throws(StorageError) in
                try disk.read(file, at: offset, into: target)
            }
            guard found == count else {
                throw TimelineError(.corrupt, "\(name), byte \(offset): the file ends too early")
            }
        } catch {
            buffer.deallocate()
            throw error
        }
        bytes = UnsafeRawBufferPointer(target)
    }

    deinit { bytes.deallocate() }

    func list<Value: BitwiseCopyable>(_: Value.Type, stride: Int, count: Int) -> [Value] {
        (0..<count).map { bytes.loadUnaligned(fromByteOffset: $0 * stride, as: Value.self) }
    }
}
