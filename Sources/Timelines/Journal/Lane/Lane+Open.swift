import BelfryCore
import BelfryTimingWheel

extension Lane {
    /// Opens a folder: manifest, runs, then the journal's tail. The next frame goes into a new segment.
    ///
    /// - Parameters:
    ///   - generation: fencing tokens go on from here. A random number keeps tokens of an earlier opening stale.
    ///   - beginning: begin a lane in an empty folder. Otherwise an empty folder is damage.
    ///   - isLenient: see ``Lane/isLenient``.
    /// - Throws: `corrupt` with file and offset, `newerFormat`, `io`, `full`.
    static func open(
        _ disk: Disk,
        limits: JournalConfiguration,
        at moment: Moment,
        generation: UInt64 = ClaimToken.firstGeneration(lane: 0),
        beginning: Bool = true,
        isLenient: Bool = false
    ) throws(TimelineError) -> Lane {
        let manifest = try manifest(disk, beginning)
        let names = try onDisk { () throws(StorageError) in try disk.names() }
        let segments = names.compactMap { FileFormat.journalNumber($0) }.sorted()
        var lane = Lane(
            disk: disk,
            limits: limits,
            manifest: manifest,
            moment: moment,
            generation: generation
        )
        lane.isLenient = isLenient
        try lane.openRuns(manifest)
        let tail = segments.filter { $0 >= manifest.journalStart }
        let newest = try NewestSegment.read(from: disk)
        try lane.replay(tail, manifest, newest, cutting: true)
        lane.sequence = max(lane.sequence, lane.highestSequence)
        lane.removeStrays(names, before: manifest.journalStart)
        let next = (tail.last ?? manifest.journalStart - 1) + 1
        try lane.beginSegment(next)
        lane.drafts.begin(segment: next)
        return lane
    }

    /// Reads a folder without changing anything in it: for inspection. Nothing may be scheduled into the result.
    static func read(_ disk: Disk, at moment: Moment) throws(TimelineError) -> Lane {
        let names = try onDisk { () throws(StorageError) in try disk.names() }
        let file = try onDisk { () throws(StorageError) in
            try WholeFile(FileFormat.manifestName, on: disk)
        }
        let manifest = try Manifest(file.bytes)
        var lane = Lane(
            disk: disk,
            limits: JournalConfiguration(),
            manifest: manifest,
            moment: moment,
            generation: 0
        )
        try lane.openRuns(manifest)
        let segments = names.compactMap { FileFormat.journalNumber($0) }.sorted()
        let tail = segments.filter { $0 >= manifest.journalStart }
        let newest = try NewestSegment.read(from: disk)
        try lane.replay(tail, manifest, newest, cutting: false)
        return lane
    }

    private init(
        disk: Disk,
        limits: JournalConfiguration,
        manifest: Manifest,
        moment: Moment,
        generation: UInt64
    ) {
        self.disk = disk
        self.limits = limits
        farWindow = limits.farWindow.milliseconds
        key = manifest.key
        sequence = manifest.sequence
        stride = UInt64(manifest.stride)
        self.generation = generation
        wheel = TimingWheel(now: moment.now)
        leases = TimingWheel(now: moment.steady)
        firstSegment = manifest.journalStart
        nextRun = manifest.nextRun
        journal = JournalWriter(file: FileID(-1), segment: 0, end: 0, groupStart: 0)
        for name in manifest.accounts { accounts.add(name) }
    }

    /// Reads the manifest; begins one in a folder that holds nothing of ours.
    private static func manifest(_ disk: Disk, _ beginning: Bool) throws(TimelineError) -> Manifest
    {
        if let manifest = try Manifest(on: disk) { return manifest }
        guard beginning, try isFresh(disk) else { throw try missingManifest(disk) }
        let manifest = Manifest(key: .random())
        try begin(manifest, on: disk)
        return manifest
    }

    static func missingManifest(_ disk: Disk) throws(TimelineError) -> TimelineError {
        let names = try onDisk { () throws(StorageError) in try disk.names() }
        let other = names.first { FileFormat.isOfLane($0) }
        let found = other.map { ", but \($0) is there" } ?? ""
        return TimelineError(.corrupt, "\(FileFormat.manifestName), byte 0: is missing\(found)")
    }

    /// Whether nothing was ever accepted in this folder: there is nothing, or what an interrupted ``begin(_:on:)`` leaves.
    static func isFresh(_ disk: Disk) throws(TimelineError) -> Bool {
        let first = FileFormat.journalName(1)
        let files = try onDisk { () throws(StorageError) in try disk.names() }.filter {
            FileFormat.isOfLane($0) && $0 != FileFormat.newManifestName
        }
        if files == [first] || files == [FileFormat.manifestName, first] {
            return try isEmpty(first, disk)
        }
        return files.isEmpty
    }

    /// Begins a lane by its first segment; the manifest comes when that is safe. So a manifest without its segment is damage, and so is a segment
    /// with anything in it without a manifest.
    static func begin(_ manifest: Manifest, on disk: Disk) throws(TimelineError) {
        try onDisk { () throws(StorageError) in
            let file = try disk.open(FileFormat.journalName(1), .create)
            defer { disk.close(file) }
            try append(FileFormat.header(.journal, number: 1), to: file, disk)
            try disk.sync(file)
            try disk.syncFolder()
            try manifest.write(to: disk)
        }
    }

    private static func isEmpty(_ name: String, _ disk: Disk) throws(TimelineError) -> Bool {
        try onDisk { () throws(StorageError) in
            let file = try disk.open(name, .read)
            defer { disk.close(file) }
            return try disk.size(file) <= FileFormat.headerBytes
        }
    }

    /// Replays the journal that the runs do not contain.
    private mutating func replay(
        _ segments: [UInt64],
        _ manifest: Manifest,
        _ newest: NewestSegment?,
        cutting: Bool
    ) throws(TimelineError) {
        let last = max(manifest.journalStart, newest?.number ?? 0)
        guard let found = segments.last, found >= last else {
            throw TimelineError(
                .corrupt,
                "\(FileFormat.journalName(last)), byte 0: the file is missing"
            )
        }
        for (index, number) in segments.enumerated() {
            let expected = manifest.journalStart + UInt64(index)
            guard number == expected else {
                throw TimelineError(
                    .corrupt,
                    "\(FileFormat.journalName(expected)), byte 0: the file is missing"
                )
            }
            let reader = SegmentReader(
                number,
                isLast: index == segments.count - 1,
                start: manifest.journalStart,
                newest: newest,
                mutation: limits.mutation
            )
            let end = try replay(number, reader, cutting: cutting)
            if cutting, number == segments.last { try makeSound(number, end: end) }
        }
    }

    private mutating func replay(_ number: UInt64, _ reader: SegmentReader, cutting: Bool)
        throws(TimelineError) -> Int
    {
        let name = reader.name
        let disk = disk
        let file = try onDisk { () throws(StorageError) in try WholeFile(name, on: disk) }
        drafts.begin(segment: number)
        let end = try reader.read(file.bytes) { (frame, body, offset) throws(TimelineError) in
            try replay(frame, body, at: offset + Frame.bytes, "\(name), byte \(offset)")
        }
        journalled += file.bytes.count
        if cutting, reader.isLast, end < file.bytes.count {
            let tail = UnsafeRawBufferPointer(rebasing: file.bytes[end...])
            dropped.append(DroppedTail.keep(tail, of: number, at: end, on: disk))
        }
        return end
    }

    /// Sees to it that the last segment is whole on the medium when it is no longer the last: a torn tail is cut off for good, and what a process
    /// wrote that died before it synced is synced now that it is believed.
    private func makeSound(_ number: UInt64, end: Int) throws(TimelineError) {
        let disk = disk
        try onDisk { () throws(StorageError) in
            let file = try disk.open(FileFormat.journalName(number), .update)
            defer { disk.close(file) }
            if end < FileFormat.headerBytes {
                try disk.truncate(file, to: 0)
                try append(FileFormat.header(.journal, number: number), to: file, disk)
            } else {
                // Also gives back what was set aside behind the end: on a full disk the next segment needs it.
                try disk.truncate(file, to: end)
            }
            try disk.sync(file)
        }
    }

    /// Opens the segment that the next frames go to.
    ///
    /// - Parameter needsRoom: rather not, than without room for what ends pushes: the segment at hand may have it (promise T11).
    mutating func beginSegment(_ number: UInt64, needsRoom: Bool = false) throws(TimelineError) {
        let start = FileFormat.headerBytes
        let file: FileID
        var reserved = start
        do throws(StorageError) {
            file = try createSegment(number)
            do throws(StorageError) {
                try disk.reserve(file, upTo: start + limits.headroomBytes)
                reserved += limits.headroomBytes
            } catch {
                // At an opening there is no other: what there is must still be claimed.
                guard !needsRoom else {
                    disk.close(file)
                    throw error
                }
            }
        } catch {
            removeSegment(number)
            throw TimelineError(error)
        }
        if journal.file.rawValue >= 0 { retired.append(journal.file) }
        journal = JournalWriter(file: file, segment: number, end: start, groupStart: start)
        journal.reserved = reserved
        NewestSegment(number: number).write(to: disk)
    }

    /// Says that nothing comes after what is in the newest segment, so that from now on a damaged end of it is not taken for a torn one. For a timeline
    /// that ends with everything written.
    func markClosed() {
        guard broken == nil, !hasFrames, journal.file.rawValue >= 0 else { return }
        NewestSegment(number: journal.segment, closedAt: journal.end).write(to: disk)
    }

    private func createSegment(_ number: UInt64) throws(StorageError) -> FileID {
        let file = try disk.open(FileFormat.journalName(number), .create)
        do throws(StorageError) {
            try append(FileFormat.header(.journal, number: number), to: file, disk)
            try disk.sync(file)
            try disk.syncFolder()
        } catch {
            disk.close(file)
            throw error
        }
        return file
    }

    /// A segment that could not be begun must be gone before anything more is appended to the one before it: otherwise that one would no longer be
    /// the last, and a torn tail in it would be damage.
    private mutating func removeSegment(_ number: UInt64) {
        do throws(StorageError) {
            do throws(StorageError) { try disk.remove(FileFormat.journalName(number)) } catch {
                guard error.kind == .missing else { throw error }
            }
            try disk.syncFolder()
        } catch {
            broken = TimelineError(
                .io,
                "\(error.message), while a segment was begun; open it again"
            )
        }
    }

    /// Removes what an interrupted checkpoint left behind. A file that cannot be removed now is tried again at the next opening.
    private func removeStrays(_ names: [String], before start: UInt64) {
        for name in names {
            let isOld = FileFormat.journalNumber(name).map { $0 < start } ?? false
            let isUnknown = FileFormat.runNumber(name).map { !runs.contains($0) } ?? false
            let isHalf = [FileFormat.newManifestName, NewestSegment.newName].contains(name)
            if isOld || isUnknown || isHalf { try? disk.remove(name) }
        }
    }

    /// A group could not be written, so that nothing decided since the one before is true: memory is built anew from what is on disk.
    mutating func undo(_ group: WriteGroup, at moment: Moment) throws(TimelineError) {
        let disk = disk
        try onDisk { () throws(StorageError) in
            try disk.truncate(group.file, to: group.start)
            try disk.sync(group.file)
        }
        close()
        self = try Lane.open(disk, limits: limits, at: moment, generation: generation)
    }

    /// To be called when no group is on its way.
    mutating func closeRetired() {
        for file in retired { disk.close(file) }
        retired.removeAll()
    }

    /// Files to be closed by whoever asks.
    mutating func takeNameless() -> [FileID] {
        defer { nameless = [] }
        return nameless
    }

    /// Closes the files. The lane must not be used again.
    mutating func close() {
        closeRetired()
        for file in takeNameless() { disk.close(file) }
        disk.close(journal.file)
        journal.file = FileID(-1)
        closeSegments(of: drafts)
        if let sorting { closeSegments(of: sorting) }
        runs.close(on: disk)
    }
}

/// Runs disk calls, and names their failure in the timeline's words.
func onDisk<Value: ~Copyable>(_ body: () throws(StorageError) -> Value) throws(TimelineError)
    -> Value
{
    do throws(StorageError) { return try body() } catch { throw TimelineError(error) }
}

func append(_ bytes: [UInt8], to file: FileID, _ disk: some Storage) throws(StorageError) {
    try bytes.span.bytes.withUnsafeBytes { (buffer) throws(StorageError) in
        try disk.append(buffer, to: file)
    }
}
