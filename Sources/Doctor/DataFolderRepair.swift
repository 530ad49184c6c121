package import BelfryCore
import BelfryJournal
import BelfryRecords
package import BelfryServer

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Writes timeline and records of a stopped server anew from everything in them that is whole, and what it drops into a file. Everything new is
/// made beside the old, which stays as it is until somebody has agreed; damaged files are renamed, not removed.
package struct DataFolderRepair {
    private let doctor: DataFolderDoctor
    private let folder: String
    private let workshop: String
    private let dropped: DroppedLog

    /// - Parameter isDry: make everything in the folder for temporary files, and leave it at that.
    package init(
        _ configuration: ServerConfiguration,
        clock: any WallClock,
        isDry: Bool,
        temporary: String
    ) {
        doctor = DataFolderDoctor(configuration, clock: clock, workshop: temporary)
        folder = configuration.data.folder
        let time = clock.now().milliseconds
        workshop =
            isDry ? "\(temporary)/belfry-repair-\(UUID().uuidString)" : "\(folder)/repair-work"
        dropped = DroppedLog(
            path: isDry ? "\(workshop)/dropped.jsonl" : "\(folder)/repair-\(time).jsonl"
        )
        self.isDry = isDry
    }

    private let isDry: Bool

    /// - Parameter agree: is shown what would be done; nothing is done where it throws.
    /// - Returns: what was done.
    /// - Throws: what `agree` throws.
    package func run(agree: ([Diagnosis]) throws -> Void) async throws -> [Diagnosis] {
        let path = "\(folder)/timeline"
        var held: [DiskStorage] = []
        defer { for disk in held { disk.release() } }
        var timelines: [RebuiltTimeline<DiskStorage, DiskStorage>] = []
        defer { try? FileManager.default.removeItem(atPath: workshop) }
        var isAgreed = false
        // Nothing has been dropped then.
        defer { if !isAgreed { dropped.discard() } }
        var found: [Diagnosis] = []
        do {
            let disks = doctor.isFolder(path) ? [try DiskStorage(folder: path, making: false)] : []
            held += disks
            try? FileManager.default.removeItem(atPath: workshop)
            try makeWorkshop()
            for disk in disks {
                let work = try DiskStorage(folder: "\(workshop)/timeline")
                held.append(work)
                let rebuilt = try rebuild(disk, work, &found)
                if !rebuilt.isNeedless { timelines.append(rebuilt) }
            }
            let mended = try await mendRecords(&found)
            guard !timelines.isEmpty || mended != nil else {
                return found + [
                    Diagnosis("repair", .well, "nothing is damaged that could be repaired")
                ]
            }
            try dropped.sync()
            guard !isDry else { return found }
            try agree(found)
            isAgreed = true
            for timeline in timelines { try timeline.commit() }
            if let mended { try replaceRecords(by: mended) }
            return found + [done()]
        } catch let error as TimelineError {
            return found + [refused(error)]
        } catch let error as RecordsError {
            return found + [Diagnosis("repair", .damaged, error.message, remedy: Self.unchanged)]
        } catch let error as RepairFailure {
            return found + [
                Diagnosis("repair", .damaged, error.description, remedy: Self.unchanged)
            ]
        }
    }

    private static let unchanged =
        "The old files are as they were, or a part of them is replaced by sound ones: run it again after mending the cause."

    private func makeWorkshop() throws {
        do {
            try FileManager.default.createDirectory(
                atPath: workshop,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        } catch { throw RepairFailure("\(workshop) cannot be made: \(error)") }
    }

    private func refused(_ error: TimelineError) -> Diagnosis {
        switch error.code {
        case .locked: DataFolderDoctor.busy(folder)
        case .newerFormat:
            Diagnosis(
                "repair",
                .damaged,
                error.message,
                remedy:
                    "Use the version of Belfry that wrote it, or a newer one. Nothing was changed."
            )
        default: Diagnosis("repair", .damaged, error.message, remedy: Self.unchanged)
        }
    }

    private func done() -> Diagnosis {
        Diagnosis(
            "repair",
            .well,
            "done; what was dropped stands in \(dropped.path), and damaged files are kept as damaged-…",
            remedy: "Look at both, then remove them; `belfry doctor` should find nothing now."
        )
    }

    // MARK: Timeline

    private func rebuild(_ disk: DiskStorage, _ work: DiskStorage, _ found: inout [Diagnosis])
        throws -> RebuiltTimeline<DiskStorage, DiskStorage>
    {
        var pieces: [DroppedPiece] = []
        let rebuilt = try JournalRepair.rebuild(lanesOf: disk, in: work, at: doctor.clock.now()) {
            (lane, piece) throws(TimelineError) in
            var piece = piece
            piece.file = (lane.isEmpty ? "timeline/" : "timeline/\(lane)/") + piece.file
            do { try dropped.write(piece) } catch {
                throw TimelineError(.io, "\(dropped.path) cannot be written: \(error)")
            }
            piece.bytes = []
            pieces.append(piece)
        }
        found += pieces.map { piece in
            // A folder that is gone has no bytes to name.
            let words =
                piece.length == 0
                ? "\(folder)/\(piece.file): \(piece.reason)"
                : "\(folder)/\(piece.file), byte \(piece.offset), \(piece.length) bytes: \(piece.reason): dropped"
            return Diagnosis("timeline", .warning, words)
        }
        for lane in rebuilt.lanes {
            let place = lane.name.isEmpty ? disk.folder : "\(disk.folder)/\(lane.name)"
            let words =
                "\(place): \(lane.rebuilt.pending) pushes pending are kept, \(lane.rebuilt.bytes) bytes dropped"
            found.append(Diagnosis("timeline", .well, words))
        }
        return rebuilt
    }

    // MARK: Records

    private var records: String { "\(folder)/records.sqlite" }

    /// - Returns: the new database, or `nil` where none is needed or none can be made.
    private func mendRecords(_ found: inout [Diagnosis]) async throws -> String? {
        let finding = try LogCheck.look(records)
        guard case .damaged = finding else {
            let sick = await doctor.records(copyIn: "\(workshop)/records", pending: 0)
                .filter { $0.verdict == .damaged }
            // A page of the file itself is nowhere else: what it held cannot be known.
            found += sick
            return nil
        }
        let new = "\(workshop)/records.sqlite"
        let repair = try LogRepair(records, into: new)
        for lost in repair.lost {
            let piece = DroppedPiece(
                file: "records.sqlite-wal",
                offset: lost.offset,
                length: lost.bytes.count,
                reason: lost.reason,
                bytes: lost.bytes
            )
            do { try dropped.write(piece) } catch {
                throw RepairFailure("\(dropped.path) cannot be written: \(error)")
            }
            found.append(
                Diagnosis(
                    "records",
                    .warning,
                    "records.sqlite-wal, byte \(lost.offset): \(lost.reason)"
                )
            )
        }
        let faults = await doctor.faults(of: new)
        guard faults.isEmpty else {
            found += faults.map {
                Diagnosis(
                    "records",
                    .damaged,
                    $0,
                    remedy:
                        "Put records.sqlite back from a copy: from this log it cannot be made whole."
                )
            }
            return nil
        }
        let words =
            repair.isLossless
            ? "nothing is lost"
            : "what the damaged frames alone held is lost: compare with a copy"
        found.append(
            Diagnosis("records", .well, "\(repair.kept) frames of the log are kept; \(words)")
        )
        return new
    }

    /// The database first: with it in place the damaged log changes nothing, and until it is gone no server starts.
    private func replaceRecords(by new: String) throws {
        let manager = FileManager.default
        do {
            let kept = nameKept()
            for end in ["", "-wal", "-shm"] where manager.fileExists(atPath: records + end) {
                try manager.linkItem(atPath: records + end, toPath: kept + end)
            }
            guard rename(new, records) == 0 else {
                throw RepairFailure(
                    "\(records) cannot be replaced: \(String(cString: strerror(errno)))"
                )
            }
            try syncFolder()
            for end in ["-shm", "-wal"] where manager.fileExists(atPath: records + end) {
                try manager.removeItem(atPath: records + end)
            }
            try syncFolder()
        } catch let failure as RepairFailure {
            throw failure
        } catch { throw RepairFailure("\(error)") }
    }

    /// Where the damaged records are kept: never in the place of those that an earlier repair has kept.
    private func nameKept() -> String {
        func isFree(_ path: String) -> Bool {
            ["", "-wal", "-shm"].allSatisfy {
                !FileManager.default.fileExists(atPath: path + $0)
            }
        }
        var path = "\(folder)/damaged-records.sqlite"
        var number = 1
        while !isFree(path) {
            number += 1
            path = "\(folder)/damaged-records-\(number).sqlite"
        }
        return path
    }

    private func syncFolder() throws {
        let handle = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { if handle >= 0 { close(handle) } }
        guard handle >= 0, fsync(handle) == 0 else {
            throw RepairFailure("\(folder) cannot be synced: \(String(cString: strerror(errno)))")
        }
    }
}
