package import BelfryCore

/// What of a lane's files makes a whole copy at one moment: the manifest, the runs that it names, and the journal up to a group that was synced.
/// Until it is written, no checkpoint may begin: it would remove files and give back the room of blocks.
struct LaneCopy: Sendable {
    private var manifest: [UInt8]
    private var files: [(name: String, length: Int)]
    private var runs: [RunCheck]
    private var newest: NewestSegment

    private static let pieceBytes = 1 << 20

    /// - Parameters:
    ///   - segment: the newest one, and how far it counts.
    /// - Throws: `io`, or `corrupt` for the manifest.
    init(of disk: some Storage, until segment: UInt64, _ end: Int) throws(TimelineError) {
        let file = try onDisk { () throws(StorageError) in
            try WholeFile(FileFormat.manifestName, on: disk)
        }
        let manifest = try Manifest(file.bytes)
        self.manifest = Array(file.bytes)
        runs = manifest.runs.map { RunCheck($0) }
        files = manifest.runs.map { (FileFormat.runName($0.number), Int($0.size)) }
        for number in manifest.journalStart...segment {
            files.append((FileFormat.journalName(number), number == segment ? end : .max))
        }
        // What is copied ends where it is meant to.
        newest = NewestSegment(number: segment, closedAt: end)
    }

    /// Writes and syncs, and reads through what was written: what is damaged is damaged in the copy, too.
    ///
    /// - Throws: `full`, `io`; `corrupt` where more of a run is damaged than some of its blocks.
    func write(from disk: some Storage, to copy: some Storage) throws(TimelineError) -> CopyReport {
        var report = CopyReport(bytes: try writeFiles(from: disk, to: copy))
        for run in runs { report.damaged += try run.damagedBlocks(on: copy) }
        return report
    }

    private func writeFiles(from disk: some Storage, to copy: some Storage) throws(TimelineError)
        -> Int
    {
        try onDisk { () throws(StorageError) in
            var bytes = manifest.count
            for file in files {
                bytes += try Self.copy(file.name, upTo: file.length, from: disk, to: copy)
            }
            let file = try copy.open(FileFormat.manifestName, .create)
            defer { copy.close(file) }
            try append(manifest, to: file, copy)
            try copy.sync(file)
            newest.write(to: copy)
            try copy.syncFolder()
            return bytes
        }
    }

    private static func copy(
        _ name: String,
        upTo length: Int,
        from disk: some Storage,
        to copy: some Storage
    ) throws(StorageError) -> Int {
        let source = try disk.open(name, .read)
        defer { disk.close(source) }
        let target = try copy.open(name, .create)
        defer { copy.close(target) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceBytes, alignment: 16)
        defer { buffer.deallocate() }
        var done = 0
        while done < length {
            let piece = UnsafeMutableRawBufferPointer(
                rebasing: buffer[..<min(pieceBytes, length - done)]
            )
            let count = try disk.read(source, at: done, into: piece)
            if count == 0 { break }
            try copy.append(UnsafeRawBufferPointer(rebasing: piece[..<count]), to: target)
            done += count
        }
        guard length == .max || done == length else {
            throw StorageError(.other, "\(name) ends at byte \(done), before \(length)")
        }
        try copy.sync(target)
        return done
    }
}

/// What a copy of a timeline holds.
package struct CopyReport: Sendable, Hashable {
    package var bytes = 0
    /// Blocks that are damaged, in the timeline as in its copy.
    package var damaged: [DamagedBlock] = []
}

extension Lane {
    /// Everything acknowledged so far; no group may be on its way.
    func copy() throws(TimelineError) -> LaneCopy {
        try LaneCopy(of: disk, until: journal.segment, journal.groupStart)
    }
}

/// Copies of timelines that nobody has open.
package enum JournalCopy {
    /// Copies a lane's files as they lie, up to the last whole record.
    ///
    /// - Parameter disk: owned by the caller.
    /// - Returns: bytes written.
    /// - Throws: `corrupt` where it is damaged, `io`, `full`.
    package static func write(from disk: some Storage, to copy: some Storage) throws(TimelineError)
        -> Int
    {
        let report = try JournalDoctor.verify(disk)
        if let finding = report.findings.first(where: { $0.kind == .newerFormat }) {
            throw TimelineError(.newerFormat, finding.problem)
        }
        guard report.isSound else {
            throw TimelineError(.corrupt, report.findings.first?.problem ?? "it is damaged")
        }
        let names = try onDisk { () throws(StorageError) in try disk.names() }
        let segments = names.compactMap { FileFormat.journalNumber($0) }.sorted()
        guard let last = segments.last, names.contains(FileFormat.manifestName) else { return 0 }
        let name = FileFormat.journalName(last)
        let torn = report.findings.first { $0.kind == .tornTail && $0.file == name }?.offset
        let size = try onDisk { () throws(StorageError) in try WholeFile(name, on: disk).bytes.count
        }
        // It has just been found sound.
        return try LaneCopy(of: disk, until: last, torn ?? size).write(from: disk, to: copy).bytes
    }
}
