import Foundation

/// Looks at the write-ahead log of a database before SQLite does: SQLite's own recovery forgets what lies behind a damaged frame, and empties the log.
package enum LogCheck {
    package enum Finding: Sendable, Hashable {
        case sound
        /// The last transaction was cut short before anybody was told of it.
        case torn(String)
        /// Something committed would be lost.
        case damaged(String)
    }

    /// Reads the log and its index beside the database at `path`; changes nothing.
    ///
    /// - Throws: `readOnly` or `io` where the log is there but cannot be read.
    package static func look(_ path: String) throws(RecordsError) -> Finding {
        // The index first: it must not be newer than the log.
        let index = try contents(path + "-shm")
        guard let bytes = try contents(path + "-wal") else { return .sound }
        let pageBytes = pageBytes(path)
        return bytes.withUnsafeBytes { log in
            let known = index.flatMap { $0.withUnsafeBytes { LogIndex($0) } }
            let log = WriteAheadLog(log, pageBytes: pageBytes)
            let name = path.split(separator: "/").last.map { "\($0)-wal" } ?? "\(path)-wal"
            switch LogInspection(log: log, index: known).verdict() {
            case .sound: return .sound
            case .torn(let frame):
                return .torn(
                    "\(name), frame \(frame), byte \(log.offset(of: frame)): the last transaction is not whole and is ignored"
                )
            case .damaged(let frame, let reason):
                let place =
                    frame == 0 ? "byte 0" : "frame \(frame), byte \(log.offset(of: frame))"
                return .damaged("\(name), \(place): \(reason)")
            }
        }
    }

    /// - Throws: `corrupt` with file, frame and cure where something committed would be lost, or as ``look(_:)``.
    package static func require(_ path: String) throws(RecordsError) {
        guard case .damaged(let words) = try look(path) else { return }
        // Somebody may be writing while this reads: damage stays.
        guard case .damaged = try look(path) else { return }
        throw RecordsError(.corrupt, "\(words). \(cure)")
    }

    package static let cure =
        "SQLite would forget everything from there on without a word; nothing was opened or changed. Keep a copy of the folder, then let "
        + "`belfry doctor FOLDER --repair` keep what is whole, or put records.sqlite back from a copy and remove records.sqlite-wal and -shm."

    /// As the database says at byte 16, where 1 stands for 65,536; 4096, as it is made, where it says nothing yet.
    static func pageBytes(_ path: String) -> Int {
        guard let file = FileHandle(forReadingAtPath: path) else { return 4096 }
        defer { try? file.close() }
        guard let head = try? file.read(upToCount: 18), head.count == 18 else { return 4096 }
        let said = Int(head[16]) << 8 | Int(head[17])
        return said == 1 ? 65_536 : said >= 512 && said & (said - 1) == 0 ? said : 4096
    }

    static func contents(_ path: String) throws(RecordsError) -> Data? {
        do { return try Data(contentsOf: URL(filePath: path)) } catch {
            switch (error as? CocoaError)?.code {
            case .fileReadNoSuchFile?, .fileNoSuchFile?: return nil
            case .fileReadNoPermission?:
                throw RecordsError(.readOnly, "\(path) cannot be read: permission denied")
            default: throw RecordsError(.io, "\(path) cannot be read: \(error)")
            }
        }
    }
}
