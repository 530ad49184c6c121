import BelfryCore
import BelfryJournal
import BelfryRecords
import BelfryServer

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The two stores: the timeline's files as they lie, the records as the server would open them, but as a copy.
extension DataFolderDoctor {
    func timeline() -> [Diagnosis] {
        let path = "\(folder)/timeline"
        guard isFolder(path) else {
            return [Diagnosis("timeline", .well, "there is none yet")]
        }
        let report: DoctorReport
        do throws(TimelineError) { report = try JournalDoctor.verify(folder: path) } catch {
            return [
                error.code == .locked
                    ? Self.busy(folder)
                    : Diagnosis(
                        "timeline",
                        .damaged,
                        "\(path): \(error.message)",
                        remedy: "Look at the disk and at the access rights."
                    )
            ]
        }
        var found = report.findings.map { diagnosis($0, in: path) }
        if report.isSound, let counts = report.counts {
            let pending = counts.scheduled + counts.inFlight
            let words = "\(path): checksums are right, \(pending) pushes pending"
            found.append(Diagnosis("timeline", .well, words))
        }
        return found
    }

    private func diagnosis(_ finding: DoctorReport.Finding, in path: String) -> Diagnosis {
        switch finding.kind {
        case .damage:
            Diagnosis(
                "timeline",
                .damaged,
                "\(path): \(finding.problem)",
                remedy:
                    "Put a copy back, if there is one; keep the damaged folder. Pushes accepted since that copy have to be scheduled again."
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
                "\(path)/\(finding.file): \(finding.problem); the next start cuts them off",
                remedy:
                    "Nothing, after a crash: a write was cut short before it was acknowledged. Otherwise keep a copy of the folder first: damage to the newest records looks the same."
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

    func records(copyIn place: String) async -> [Diagnosis] {
        let path = "\(folder)/records.sqlite"
        guard FileManager.default.fileExists(atPath: path) else {
            return [Diagnosis("records", .well, "there are none yet")]
        }
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
            await records.close()
            return faults.isEmpty
                ? [Diagnosis("records", .well, "\(path): integrity and key are right")]
                : faults.map {
                    Diagnosis("records", .damaged, "\(path): \($0)", remedy: Self.restore)
                }
        } catch {
            let remedy =
                switch error.code {
                case .invalid: "Use the key file that belongs to these records."
                case .newerFormat: "Use the version of Belfry that wrote it, or a newer one."
                default: Self.restore
                }
            let message = error.message.replacing(place, with: folder)
            return [Diagnosis("records", .damaged, "\(path): \(message)", remedy: remedy)]
        }
    }

    private static let restore =
        "Put records.sqlite back from a copy and remove records.sqlite-wal; pending pushes are in the timeline and not concerned."

    private func secretKey() -> [UInt8]? {
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
            .damaged,
            "it cannot be read: \(reason)",
            remedy:
                "Run doctor as the server's user, with room for a copy in the folder for temporary files (TMPDIR)."
        )
    }
}
