import BelfryCore
package import BelfryJournal
package import BelfryRecords
import Synchronization

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

/// A copy of a data folder on which a server can be started.
///
/// First the timeline, then the records, then keys and media. Everything acknowledged before the copy began is in it. What happened while it was made
/// may be in the records and not in the timeline, as after a crash between sending and settling: so a push that was sent after the timeline was
/// copied is pending in the copy, and its reservation in the records tells that it may have been sent.
///
/// Everything is written under another name beside the destination, synced, and then renamed, so that there is a whole copy or none.
package struct Backup: Sendable {
    /// What was copied.
    package struct Report: Sendable, Hashable {
        package var destination: String
        package var bytes: Int
        /// What is in it.
        package var contains: [String]
        /// What the server also needs and is not in it.
        package var lacks: [String]
        /// What is damaged in the timeline, and so in the copy.
        package var damaged: [DamagedBlock] = []
    }

    let configuration: ServerConfiguration
    let destination: String
    private var partial: String { destination + ".partial" }

    /// Whether the records lie in the folder, not in a database of their own.
    private var hasRecords: Bool { configuration.records.url.isEmpty }

    /// - Parameter destination: an absolute path that does not exist, or an empty folder.
    /// - Throws: ``BackupFailure``.
    package init(_ configuration: ServerConfiguration, to destination: String) throws(BackupFailure)
    {
        self.configuration = configuration
        var path = destination
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        self.destination = path
        guard path.hasPrefix("/"), path != "/" else {
            throw BackupFailure(.refused, "destination: must be an absolute path")
        }
        let names: [String]
        do { names = try FileManager.default.contentsOfDirectory(atPath: path) } catch {
            guard !FileManager.default.fileExists(atPath: path) else {
                throw BackupFailure(
                    .refused,
                    "destination: \(path) is no folder, or cannot be read"
                )
            }
            try requireOutside()
            return
        }
        guard names.isEmpty else {
            throw BackupFailure(.refused, "destination: \(path) is not empty")
        }
        try requireOutside()
    }

    /// A copy in the folder that is copied would be lost with it.
    private func requireOutside() throws(BackupFailure) {
        guard !Self.isInside(destination, configuration.data.folder) else {
            throw BackupFailure(
                .refused,
                "destination: \(destination) is in the data folder, \(configuration.data.folder): choose a place outside it, best on another disk"
            )
        }
    }

    /// Whether a path, which need not exist, is a folder or lies in it, whatever links lead there.
    private static func isInside(_ path: String, _ folder: String) -> Bool {
        func real(_ path: String) -> [String] {
            var url = URL(fileURLWithPath: path).standardizedFileURL
            var missing: [String] = []
            while url.path != "/", !FileManager.default.fileExists(atPath: url.path) {
                missing.insert(url.lastPathComponent, at: 0)
                url.deleteLastPathComponent()
            }
            return url.resolvingSymlinksInPath().pathComponents + missing
        }
        return real(path).starts(with: real(folder))
    }

    /// Copies the folder of a running server.
    package func write(_ timeline: JournalTimeline, _ records: Records) async throws -> Report {
        try await write { folder in
            let copy = try await timeline.copy(into: folder + "/timeline")
            if hasRecords { try await records.copy(to: folder + "/records.sqlite") }
            return copy.damaged
        }
    }

    /// Copies the folder of a stopped server, and keeps servers out of it meanwhile. Nothing in it is changed.
    package func writeStopped() async throws -> Report {
        let source = configuration.data.folder
        let disk = try DiskStorage(folder: source + "/timeline", making: false)
        defer { disk.release() }
        return try await write { folder in
            let copy = try DiskStorage(folder: folder + "/timeline")
            defer { copy.release() }
            _ = try JournalCopy.write(lanesOf: disk, to: copy)
            if hasRecords {
                try await Records.copy(
                    stopped: source + "/records.sqlite",
                    to: folder + "/records.sqlite"
                )
            }
            // A damaged timeline that nobody has open is refused: it can be repaired first.
            return []
        }
    }

    private func write(_ stores: (String) async throws -> [DamagedBlock]) async throws -> Report {
        let manager = FileManager.default
        try makeFolder()
        do {
            let damaged = try await stores(partial)
            var report = Report(
                destination: destination,
                bytes: 0,
                contains: hasRecords ? ["timeline", "records.sqlite"] : ["timeline"],
                lacks: hasRecords
                    ? []
                    : [
                        "the records (schema \(configuration.recordsSchema) in PostgreSQL: pg_dump)"
                    ],
                damaged: damaged
            )
            try copyRest(&report)
            report.bytes = try finish()
            return report
        } catch {
            // Half a copy must not look like one.
            try? manager.removeItem(atPath: partial)
            throw error
        }
    }

    /// What lies there may be somebody's own.
    private func makeFolder() throws(BackupFailure) {
        guard !FileManager.default.fileExists(atPath: partial) else {
            throw BackupFailure(
                .refused,
                "destination: \(partial) is there: remove it if an interrupted backup has left it, or choose another destination"
            )
        }
        do {
            try FileManager.default.createDirectory(
                atPath: partial,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        } catch {
            throw BackupFailure(
                .refused,
                "destination: \(partial) cannot be made: \(systemWords(error))"
            )
        }
    }

    /// Keys and media. What lies elsewhere is whoever's business put it there.
    private func copyRest(_ report: inout Report) throws {
        let source = configuration.data.folder
        for name in ["secret.key", "admin.key", "media"]
        where FileManager.default.fileExists(atPath: "\(source)/\(name)") {
            try FileManager.default.copyItem(
                atPath: "\(source)/\(name)",
                toPath: "\(partial)/\(name)"
            )
            report.contains.append(name)
        }
        if !report.contains.contains("secret.key") {
            let place =
                configuration.secret.key.isEmpty ? configuration.secretKeyFile : "secret.key"
            report.lacks.append("the key that seals secrets (\(place))")
        }
    }

    /// Syncs everything and gives it its name.
    private func finish() throws -> Int {
        var bytes = 0
        for name in try FileManager.default.subpathsOfDirectory(atPath: partial) + [""] {
            bytes += try sync("\(partial)/\(name)")
        }
        // An empty folder gives way to another.
        guard rename(partial, destination) == 0 else { throw BackupFailure.system(destination) }
        let parent = destination.split(separator: "/").dropLast().joined(separator: "/")
        _ = try sync("/" + parent)
        return bytes
    }

    private func sync(_ path: String) throws(BackupFailure) -> Int {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw .system(path) }
        defer { close(file) }
        var info = stat()
        guard fsync(file) == 0, fstat(file, &info) == 0 else { throw .system(path) }
        return info.st_mode & S_IFMT == S_IFREG ? Int(info.st_size) : 0
    }
}

/// Makes copies for those who ask over the API, one at a time: two would only take each other's disk.
struct BackupDesk: Sendable {
    private final class Busy: Sendable {
        let isBusy = Mutex(false)
    }

    private let configuration: ServerConfiguration
    private let timeline: JournalTimeline
    private let records: Records
    private let busy = Busy()

    init(_ configuration: ServerConfiguration, _ timeline: JournalTimeline, _ records: Records) {
        self.configuration = configuration
        self.timeline = timeline
        self.records = records
    }

    func write(to destination: String) async throws -> Backup.Report {
        var configuration = configuration
        // They may have moved since the start.
        if records.isShared == configuration.records.url.isEmpty {
            configuration.records.url = records.isShared ? "postgres://" : ""
        }
        let backup = try Backup(configuration, to: destination)
        let isFree = busy.isBusy.withLock { isBusy in
            defer { isBusy = true }
            return !isBusy
        }
        guard isFree else {
            throw Problem(
                .tooMany,
                "A backup is being written; only one is at a time.",
                retryAfter: 60
            )
        }
        defer { busy.isBusy.withLock { $0 = false } }
        return try await backup.write(timeline, records)
    }
}

/// Why there is no copy; nothing of it is left behind.
package struct BackupFailure: Error, Sendable, CustomStringConvertible {
    package enum Kind: Sendable, Hashable {
        /// The destination is of no use.
        case refused
        case full
        case io
    }

    package var kind: Kind
    package var description: String

    init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }

    static func system(_ path: String, _ code: Int32 = errno) -> BackupFailure {
        BackupFailure(
            [ENOSPC, EDQUOT].contains(code) ? .full : .io,
            "\(path): \(String(cString: strerror(code)))"
        )
    }
}
