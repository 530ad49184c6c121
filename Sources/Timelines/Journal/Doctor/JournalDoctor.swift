package import BelfryCore

/// What an inspection of a journal folder has found.
package struct DoctorReport: Sendable {
    /// One place that is not as it should be.
    package struct Finding: Sendable, Hashable {
        package enum Kind: String, Sendable, Hashable {
            /// Something acknowledged may be lost: the timeline refuses to open.
            case damage
            /// Could not be read for want of access rights, or because the disk said no: nothing is known of it.
            case unreadable
            /// Written by a newer version of the program: only that can read it.
            case newerFormat = "newer_format"
            /// The end of the last segment, which was never closed, is no whole record; opening puts it aside and cuts it off. Mostly a write that was
            /// cut short and never acknowledged; damage to the very last group that was written looks the same.
            case tornTail = "torn_tail"
            /// What would tell more about the other files cannot be believed; nothing is lost.
            case uncertain
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
        !findings.contains { [.damage, .unreadable, .newerFormat].contains($0.kind) }
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
        let newest = readNewest()
        for number in segments where number >= manifest.journalStart {
            verify(
                SegmentReader(
                    number,
                    isLast: number == segments.last,
                    start: manifest.journalStart,
                    newest: newest
                )
            )
        }
        let known = Set(manifest.runs.map(\.number))
        for number in runs where !known.contains(number) { stray(FileFormat.runName(number)) }
        for number in segments where number < manifest.journalStart {
            stray(FileFormat.journalName(number))
        }
        for name in [FileFormat.newManifestName, NewestSegment.newName] where names.contains(name) {
            stray(name)
        }
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
            guard names.contains(name) else {
                throw TimelineError(.corrupt, "\(name), byte 0: the file is missing")
            }
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

    /// Damaged, it is no damage: without it less is known.
    private mutating func readNewest() -> NewestSegment? {
        let name = NewestSegment.name
        guard names.contains(name) else { return nil }
        do throws(TimelineError) {
            let disk = disk
            let file = try onDisk { () throws(StorageError) in try WholeFile(name, on: disk) }
            count(file.bytes.count)
            return try NewestSegment(file.bytes)
        } catch {
            guard error.code == .corrupt else {
                damage(name, error)
                return nil
            }
            let problem = "\(error.message); whether the last segment is whole is not known"
            report.findings.append(.init(kind: .uncertain, file: name, offset: 0, problem: problem))
            return nil
        }
    }

    private mutating func verify(_ reader: SegmentReader) {
        let name = reader.name
        do throws(TimelineError) {
            let disk = disk
            let file = try onDisk { () throws(StorageError) in try WholeFile(name, on: disk) }
            count(file.bytes.count)
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

    private func kind(_ error: TimelineError) -> DoctorReport.Finding.Kind {
        switch error.code {
        case .newerFormat: .newerFormat
        case .io: .unreadable
        default: .damage
        }
    }

    /// The engine's own words are "file, byte offset: problem".
    private mutating func damage(_ name: String, _ error: TimelineError) {
        let words = error.message.split(separator: " ")
        let at = words.firstIndex(of: "byte").map { $0 + 1 } ?? words.endIndex
        let offset = at < words.endIndex ? Int(words[at].prefix { $0.isNumber }) : nil
        report.findings.append(
            .init(
                kind: kind(error),
                file: name,
                offset: offset,
                problem: error.message
            )
        )
    }
}
