package import BelfryCore

/// What an inspection of a journal folder has found.
package struct DoctorReport: Sendable {
    /// One place that is not as it should be.
    package struct Finding: Sendable, Hashable {
        package enum Kind: String, Sendable, Hashable {
            /// Something acknowledged may be lost: the timeline refuses to open.
            case damage
            /// Written by a newer version of the program: only that can read it.
            case newerFormat = "newer_format"
            /// The end of the last segment is no whole record; opening cuts it off. Mostly a write that was cut short and never acknowledged; damage
            /// to the very last group that was written looks the same.
            case tornTail = "torn_tail"
            /// Left behind by an interrupted checkpoint; opening removes it.
            case stray
        }

        package var kind: Kind
        package var file: String
        /// In bytes from the start of the file, where it is known.
        package var offset: Int?
        package var problem: String
    }

    package var findings: [Finding] = []
    /// What is pending; `nil` if damage keeps it from being counted.
    package var counts: TimelineCounts?
    /// Files that were read, and their bytes.
    package var files = 0
    package var bytes = 0

    /// Nothing acknowledged is lost.
    package var isSound: Bool {
        !findings.contains { $0.kind == .damage || $0.kind == .newerFormat }
    }
}

/// Inspects a journal folder that no timeline has open: verifies every checksum, and changes nothing.
package enum JournalDoctor {
    /// - Throws: ``TimelineError`` with `locked` if a timeline has it open, `io` if there is no such folder.
    package static func verify(folder: String) throws(TimelineError) -> DoctorReport {
        let disk = try DiskStorage(folder: folder, making: false)
        defer { disk.release() }
        return try verify(root: disk)
    }

    /// One lane's folder.
    ///
    /// - Throws: ``TimelineError`` with `io` if the folder cannot be listed.
    package static func verify(_ disk: some Storage) throws(TimelineError) -> DoctorReport {
        let names = try onDisk { () throws(StorageError) in try disk.names() }
        var inspection = Inspection(disk: disk, names: names)
        inspection.run()
        return inspection.report
    }
}

private struct Inspection<Disk: Storage> {
    let disk: Disk
    let names: [String]
    var report = DoctorReport()

    mutating func run() {
        let segments = names.compactMap { FileFormat.journalNumber($0) }.sorted()
        let runs = names.compactMap { FileFormat.runNumber($0) }.sorted()
        if !names.contains(FileFormat.manifestName) && segments.isEmpty && runs.isEmpty {
            report.counts = TimelineCounts()
            return
        }
        guard let manifest = readManifest() else { return }
        for entry in manifest.runs { verify(entry) }
        for number in segments where number >= manifest.journalStart {
            verify(segment: number, isLast: number == segments.last)
        }
        let known = Set(manifest.runs.map(\.number))
        for number in runs where !known.contains(number) { stray(FileFormat.runName(number)) }
        for number in segments where number < manifest.journalStart {
            stray(FileFormat.journalName(number))
        }
        if names.contains(FileFormat.newManifestName) { stray(FileFormat.newManifestName) }
        guard report.isSound else { return }
        do throws(TimelineError) {
            var lane = try Lane.read(disk, at: Moment(now: 0, steady: 0))
            report.counts = lane.counts()
            lane.close()
        } catch {
            // Every part is whole, and yet they do not fit one another.
            damage(FileFormat.manifestName, error)
        }
    }

    private mutating func readManifest() -> Manifest? {
        let name = FileFormat.manifestName
        do throws(TimelineError) {
            let disk = disk
            let file = try onDisk { () throws(StorageError) in try WholeFile(name, on: disk) }
            count(file.bytes.count)
            return try Manifest(file.bytes)
        } catch {
            damage(name, error)
            return nil
        }
    }

    private mutating func verify(_ entry: Manifest.Entry) {
        let name = FileFormat.runName(entry.number)
        do throws(TimelineError) {
            let reader = try RunReader(entry.number, on: disk, expecting: Int(entry.size))
            defer { disk.close(reader.file) }
            count(reader.size)
            _ = try reader.identities()
            _ = try reader.merges()
            let blocks = try reader.blocks()
            let run = Run(
                number: entry.number,
                file: reader.file,
                size: reader.size,
                count: Int(entry.count),
                blocks: blocks,
                dead: entry.dead
            )
            // The room of a block in which nothing counts may have been given back.
            for (index, block) in blocks.enumerated() where !run.isFinished(index) {
                do throws(TimelineError) { _ = try reader.block(block) } catch {
                    damage(name, error)
                }
            }
        } catch {
            damage(name, error)
        }
    }

    private mutating func verify(segment number: UInt64, isLast: Bool) {
        let name = FileFormat.journalName(number)
        do throws(TimelineError) {
            let disk = disk
            let file = try onDisk { () throws(StorageError) in try WholeFile(name, on: disk) }
            count(file.bytes.count)
            let reader = SegmentReader(name: name, number: number, isLast: isLast)
            let end = try reader.read(file.bytes) { _, _, _ in }
            guard end < file.bytes.count else { return }
            report.findings.append(
                .init(
                    kind: .tornTail,
                    file: name,
                    offset: end,
                    problem: "the last \(file.bytes.count - end) bytes are no whole record"
                )
            )
        } catch {
            damage(name, error)
        }
    }

    private mutating func count(_ bytes: Int) {
        report.files += 1
        report.bytes += bytes
    }

    private mutating func stray(_ name: String) {
        report.findings.append(
            .init(kind: .stray, file: name, offset: nil, problem: "belongs to nothing")
        )
    }

    /// The engine's own words are "file, byte offset: problem".
    private mutating func damage(_ name: String, _ error: TimelineError) {
        let words = error.message.split(separator: " ")
        let at = words.firstIndex(of: "byte").map { $0 + 1 } ?? words.endIndex
        let offset = at < words.endIndex ? Int(words[at].prefix { $0.isNumber }) : nil
        report.findings.append(
            .init(
                kind: error.code == .newerFormat ? .newerFormat : .damage,
                file: name,
                offset: offset,
                problem: error.message
            )
        )
    }
}
