import BelfryCore
import BelfryJournal
import BelfryRecords
import BelfryServer

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

/// The two stores: the timeline's files as they lie, the records as the server would open them, but as a copy.
extension DataFolderDoctor {
    /// - Returns: what was found, and how much is pending as far as that can be counted.
    func timeline() -> (found: [Diagnosis], pending: Int) {
        let path = "\(folder)/timeline"
        guard isFolder(path) else {
            guard FileManager.default.fileExists(atPath: "\(folder)/records.sqlite") else {
                return ([Diagnosis("timeline", .well, "there is none yet")], 0)
            }
            let (problem, cure) = DataFolder.lostTimeline
            return ([Diagnosis("timeline", .damaged, problem, remedy: cure)], 0)
        }
        let report: DoctorReport
        do throws(TimelineError) { report = try JournalDoctor.verify(folder: path) } catch {
            return ([unopened(path, error)], 0)
        }
        var found = report.findings.map { diagnosis($0, in: path) }
        let pending = report.counts.map { $0.scheduled + $0.inFlight } ?? 0
        if report.isSound, report.counts != nil {
            let words = "\(path): checksums are right, \(pending) pushes pending"
            found.append(Diagnosis("timeline", .well, words))
        }
        return (found, pending)
    }

    /// The folder itself could not be taken or listed; nothing is known of its files.
    private func unopened(_ path: String, _ error: TimelineError) -> Diagnosis {
        if error.code == .locked { return Self.busy(folder) }
        return Diagnosis(
            "timeline",
            access(path, R_OK | W_OK | X_OK) == 0 ? .damaged : .unreadable,
            "\(path): \(error.message)",
            remedy: "Run doctor as the server's user; look at the disk and at the access rights."
        )
    }

    private func diagnosis(_ finding: DoctorReport.Finding, in path: String) -> Diagnosis {
        switch finding.kind {
        case .unreadable:
            Diagnosis(
                "timeline",
                .unreadable,
                "\(path)/\(finding.file): \(finding.problem)",
                remedy: Self.asOwner
            )
        case .damage:
            Diagnosis(
                "timeline",
                .damaged,
                "\(path): \(finding.problem)",
                remedy:
                    "Keep a copy of the folder. `belfry doctor FOLDER --repair` keeps everything that is whole and says what is not (first with --dry-run); or put a copy back: pushes accepted since then have to be scheduled again."
            )
        case .newerFormat:
            Diagnosis(
                "timeline",
                .damaged,
                "\(path): \(finding.problem)",
                remedy: "Use the version of Belfry that wrote it, or a newer one."
            )
        case .tornTail:
            Diagnosis(
                "timeline",
                .warning,
                "\(path)/\(finding.file): \(finding.problem); the next start puts them aside",
                remedy:
                    "Nothing, after a crash: a write was cut short before it was acknowledged. Otherwise keep a copy of the folder first: damage to the newest records looks the same."
            )
        case .uncertain:
            Diagnosis(
                "timeline",
                .warning,
                "\(path)/\(finding.problem)",
                remedy: "Nothing: the next start writes it anew."
            )
        case .stray:
            Diagnosis(
                "timeline",
                .well,
                "\(path)/\(finding.file): \(finding.problem); the next start removes it"
            )
        }
    }

    static func busy(_ folder: String) -> Diagnosis {
        Diagnosis(
            "timeline",
            .busy,
            "a server is using \(folder): timeline and records were not looked at",
            remedy: "Stop the server first; a running one answers /readyz and /metrics."
        )
    }

    func records(copyIn place: String, pending: Int) async -> [Diagnosis] {
        guard configuration.records.url.isEmpty else { return await recordsInPostgres() }
        let path = "\(folder)/records.sqlite"
        guard FileManager.default.fileExists(atPath: path) else {
            return [
                lostOwners(pending: pending) ?? Diagnosis("records", .well, "there are none yet")
            ]
        }
        var found: [Diagnosis] = []
        do throws(RecordsError) {
            switch try LogCheck.look(path) {
            case .sound: break
            case .torn(let words):
                found.append(Diagnosis("records", .warning, words, remedy: Self.tornLog))
            case .damaged(let words):
                return [Diagnosis("records", .damaged, words, remedy: LogCheck.cure)]
            }
        } catch {
            return [Diagnosis("records", .unreadable, error.message, remedy: Self.asOwner)]
        }
        return await found + integrity(of: path, copyIn: place, pending: pending)
    }

    private static let tornLog =
        "Nothing, after a power cut: a write was cut short before it was acknowledged. Otherwise keep a copy of the folder first: damage to the newest record looks the same."

    private func integrity(of path: String, copyIn place: String, pending: Int) async -> [Diagnosis]
    {
        let files = [path, path + "-wal"].filter { FileManager.default.fileExists(atPath: $0) }
        do throws(CopyFailure) { try copy(files, to: place) } catch {
            return [error.diagnosis("records")]
        }
        guard let key = secretKey() else {
            return [
                Diagnosis(
                    "records",
                    .damaged,
                    "\(path) was sealed with a key that cannot be read",
                    remedy:
                        "Put \(configuration.secretKeyFile) back from its copy: without it no secret of the records can be used."
                )
            ]
        }
        do throws(RecordsError) {
            let records = try await Records.open(
                path: "\(place)/records.sqlite",
                clock: clock,
                secretKey: key
            )
            let faults = try await records.verify()
            let isOwned = try await records.isOwned()
            let moved = await movedTo(records)
            await records.close()
            if !faults.isEmpty {
                return faults.map {
                    Diagnosis("records", .damaged, "\(path): \($0)", remedy: Self.restore)
                }
            }
            if !isOwned, let lost = lostOwners(pending: pending) { return [lost] }
            return [Diagnosis("records", .well, "\(path): integrity and key are right")] + moved
        } catch {
            let remedy =
                switch error.code {
                case .invalid: Self.otherKey
                case .newerFormat: "Use the version of Belfry that wrote it, or a newer one."
                case .elsewhere: Self.elsewhere
                default: Self.restore
                }
            let message = error.message.replacing(place, with: folder)
            let verdict: Diagnosis.Verdict = error.code == .elsewhere ? .warning : .damaged
            return [Diagnosis("records", verdict, "\(path): \(message)", remedy: remedy)]
        }
    }

    /// Where the pushes are, if they have been moved away from what the configuration names.
    func movedTo(_ records: Records) async -> [Diagnosis] {
        do {
            let place = try await TimelineMoves.moved(records, configuration)
            return place.map {
                [
                    Diagnosis(
                        "timeline",
                        .warning,
                        "the pushes have been moved: they are not where timeline.url says, but \($0)",
                        remedy:
                            "Nothing: a server goes by the records. Let timeline.url say the same, to be clear."
                    )
                ]
            } ?? []
        } catch {
            return [Diagnosis("timeline", .damaged, "\(error)")]
        }
    }

    /// What is wrong with a database that only this opens.
    func faults(of path: String) async -> [String] {
        guard let key = secretKey() else {
            return [
                "\(configuration.secretKeyFile) cannot be read: without it the records cannot be checked"
            ]
        }
        do throws(RecordsError) {
            let records = try await Records.open(path: path, clock: clock, secretKey: key)
            let faults = try await records.verify()
            await records.close()
            return faults
        } catch { return [error.message] }
    }

    /// Records without any account and key are well in a folder where nothing else has happened.
    private func lostOwners(pending: Int) -> Diagnosis? {
        LostOwners(configuration, pending: pending).map {
            Diagnosis("records", .damaged, $0.problem, remedy: $0.cure)
        }
    }

    static let otherKey = "Use the key file that belongs to these records."

    static let elsewhere =
        "Nothing, where records.url names that place. `belfry records reopen` puts these in force again where the others are lost for good."

    private static let restore =
        "Put records.sqlite back from a copy and remove records.sqlite-wal and records.sqlite-shm; pending pushes are in the timeline and not concerned."

    static let asOwner =
        "It may be sound: run doctor as the server's user; look at the access rights and at the disk."

    func secretKey() -> [UInt8]? {
        var text = configuration.secret.key
        if text.isEmpty {
            // Unreadable and absent are told by the check of secret files.
            text = (try? String(contentsOfFile: configuration.secretKeyFile, encoding: .utf8)) ?? ""
        }
        guard let data = Data(base64Encoded: text.filter { !$0.isWhitespace }), data.count == 32
        else {
            return nil
        }
        return Array(data)
    }

    private func copy(_ paths: [String], to place: String) throws(CopyFailure) {
        do {
            try FileManager.default.createDirectory(
                atPath: place,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
            for path in paths {
                let name = path.split(separator: "/").last.map(String.init) ?? path
                try FileManager.default.copyItem(atPath: path, toPath: "\(place)/\(name)")
            }
        } catch {
            throw CopyFailure(reason: "\(error)")
        }
    }
}

/// A store that could not be copied in order to be looked at.
private struct CopyFailure: Error {
    var reason: String

    func diagnosis(_ area: String) -> Diagnosis {
        Diagnosis(
            area,
            .unreadable,
            "it cannot be copied: \(reason)",
            remedy:
                "Run doctor as the server's user, with room for a copy in the folder for temporary files (TMPDIR)."
        )
    }
}
