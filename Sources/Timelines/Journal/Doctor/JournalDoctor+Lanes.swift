package import BelfryCore

extension JournalDoctor {
    /// A whole timeline: its layout, and each lane.
    ///
    /// - Throws: ``TimelineError`` with `io` if a folder cannot be listed.
    package static func verify(root: some Storage) throws(TimelineError) -> DoctorReport {
        let names = try onDisk { () throws(StorageError) in try root.names() }
        var report = DoctorReport()
        do throws(TimelineError) {
            guard let layout = try Layout(on: root) else {
                // The form from before there were lanes, or nothing at all.
                guard let folder = names.first(where: { Layout.isLaneFolder($0) }) else {
                    return try verify(root)
                }
                let problem = "\(FileFormat.layoutName): is missing, but \(folder) is there"
                report.add(.damage, FileFormat.layoutName, problem)
                return report
            }
            report.files += 1
            for folder in layout.folders { try report.add(verify(folder, in: root), in: folder) }
            let known = Set(layout.folders)
            for name in names
            where Layout.isLaneFolder(name) && !known.contains(name)
                || FileFormat.isOfLane(name) || name == FileFormat.newLayoutName
            {
                report.add(.stray, name, "belongs to nothing")
            }
        } catch {
            guard error.code == .corrupt || error.code == .newerFormat else { throw error }
            let kind: DoctorReport.Finding.Kind = error.code == .corrupt ? .damage : .newerFormat
            report.add(kind, FileFormat.layoutName, error.message)
        }
        return report
    }

    /// A lane that the layout names, and that must therefore be there.
    private static func verify(_ folder: String, in root: some Storage) throws(TimelineError)
        -> DoctorReport
    {
        let disk: (any Storage)?
        do throws(StorageError) { disk = try root.subfolder(folder, making: false) } catch {
            guard error.kind == .missing else { throw TimelineError(error) }
            disk = nil
        }
        guard let disk else { return DoctorReport(damage: "the folder is missing") }
        defer { disk.release() }
        guard
            try onDisk({ () throws(StorageError) in try disk.names() })
                .contains(FileFormat.manifestName)
        else { return DoctorReport(damage: "\(FileFormat.manifestName) is missing") }
        return try verify(disk)
    }
}

extension DoctorReport {
    /// A folder of which nothing can be said but this.
    fileprivate init(damage problem: String) { add(.damage, "", problem) }

    fileprivate mutating func add(_ kind: Finding.Kind, _ file: String, _ problem: String) {
        findings.append(Finding(kind: kind, file: file, offset: nil, problem: problem))
    }

    /// Adds what was found in the folder of one lane.
    fileprivate mutating func add(_ lane: DoctorReport, in folder: String) {
        let wereCounted = isSound
        files += lane.files
        bytes += lane.bytes
        findings += lane.findings.map { finding in
            var finding = finding
            // The engine's own words begin with the file; others do not name it.
            if finding.file.isEmpty {
                finding.problem = "\(folder): \(finding.problem)"
            } else if finding.problem.hasPrefix(finding.file) {
                finding.problem = "\(folder)/\(finding.problem)"
            }
            finding.file = finding.file.isEmpty ? folder : "\(folder)/\(finding.file)"
            return finding
        }
        guard wereCounted, isSound, let more = lane.counts else {
            counts = nil
            return
        }
        var sum = counts ?? TimelineCounts()
        sum.add(more)
        counts = sum
    }
}
