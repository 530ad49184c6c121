import BelfryCore
import BelfryJournal
import BelfryRecords
import Logging

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

extension DataFolder {
    /// Looks at the records' log before anything in the folder is written: opening would destroy what tells of damage.
    ///
    /// - Throws: `RecordsError` with `corrupt` where the log has lost something; `TimelineError` with `locked` where a server is at work.
    func checkLog() throws {
        do throws(RecordsError) { try LogCheck.require(records) } catch {
            // A log that somebody is writing may look as if it were damaged.
            if FileManager.default.fileExists(atPath: timeline) {
                try DiskStorage(folder: timeline, making: false).release()
            }
            throw error
        }
    }
}

extension DataFolder {
    /// A server opens the timeline before the records, so that records alone are what is left of both.
    package static let lostTimeline = (
        problem:
            "records.sqlite is there, but the folder timeline is not: every pending push was in it.",
        cure:
            "Put it back from a copy of this folder; or, to go on without what was pending, make an empty folder timeline."
    )

    /// - Throws: ``StartFailure`` where the timeline was lost.
    func checkTimeline() throws(StartFailure) {
        let files = FileManager.default
        guard files.fileExists(atPath: records), !files.fileExists(atPath: timeline) else { return }
        throw StartFailure(.damaged, "\(Self.lostTimeline.problem) \(Self.lostTimeline.cure)")
    }
}

extension BelfryNode {
    static func tell(_ block: DamagedBlock, in folder: DataFolder, _ logger: Logger) {
        logger.critical(
            "a part of the timeline is damaged: its pushes are set aside, neither sent nor ended; the rest goes on. Stop the server and run `belfry doctor --repair`",
            metadata: [
                "file": "\(folder.timeline)/\(block.file)", "offset": "\(block.offset)",
                "bytes": "\(block.length)", "pushes": "\(block.pushes)",
                "first_due": "\(TimeText.render(block.firstDue))",
            ]
        )
    }

    /// Whether something is set aside in the embedded timeline. One that does not answer is told by the check of the timeline itself.
    func damageCheck() async -> Check {
        let damage = (try? await timeline.journal.damage()) ?? []
        let words = damage.map(\.problem).joined(separator: "; ")
        return Check("timeline-files", problem: damage.isEmpty ? nil : words)
    }

    /// - Throws: ``StartFailure`` where the records were lost.
    static func checkOwners(
        _ configuration: ServerConfiguration,
        _ timeline: JournalTimeline,
        _ records: Records
    ) async throws {
        if try await records.isOwned() { return }
        let counts = try await timeline.counts()
        let pending = counts.scheduled + counts.inFlight
        guard let lost = LostOwners(configuration, pending: pending) else { return }
        throw StartFailure(.damaged, "\(lost.problem) \(lost.cure)")
    }

    /// A start after a crash mostly cuts something off; damage to the newest records would look the same, so that nobody should have to guess.
    static func tell(_ dropped: [DroppedTail], in folder: DataFolder, _ logger: Logger) {
        for tail in dropped {
            logger.warning(
                "cut the journal's end off: it was no whole record, mostly a write that a crash cut short before it was acknowledged",
                metadata: [
                    "file": "\(folder.timeline)/\(tail.file)", "offset": "\(tail.offset)",
                    "bytes": "\(tail.bytes)",
                    "kept": "\(tail.keptAs ?? "nothing: only zeros, or no room")",
                ]
            )
        }
    }
}
