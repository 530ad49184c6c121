import Foundation

/// Makes a whole database of one and its damaged log: every frame that is whole is copied to its page, as SQLite would have done. Changes neither.
///
/// A frame is whole if its checksum runs on from the one before it, by what that one says of itself or by what its content gives: so a damaged
/// frame costs no other. Where its page was written again later, it costs nothing at all.
package struct LogRepair {
    /// A frame that could not be used.
    package struct Lost: Sendable {
        package var offset: Int
        package var bytes: [UInt8]
        package var reason: String
    }

    /// Frames that were used.
    package private(set) var kept = 0
    package private(set) var lost: [Lost] = []
    /// Every page that a lost frame held was written again by a later one.
    package private(set) var isLossless = true

    /// - Parameters:
    ///   - path: of the database; its log lies beside it.
    ///   - target: the new database; must not exist.
    /// - Throws: `io`, `readOnly`, `full`.
    package init(_ path: String, into target: String) throws(RecordsError) {
        let old = try LogCheck.contents(path) ?? Data()
        let log = try LogCheck.contents(path + "-wal") ?? Data()
        let pageBytes = LogCheck.pageBytes(path)
        var pages = Data(old)
        log.withUnsafeBytes { apply(WriteAheadLog($0, pageBytes: pageBytes), to: &pages) }
        do {
            try pages.write(to: URL(filePath: target), options: .withoutOverwriting)
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o600],
                ofItemAtPath: target
            )
            let file = try FileHandle(forUpdating: URL(filePath: target))
            try file.synchronize()
            try file.close()
        } catch { throw RecordsError(.io, "\(target) cannot be written: \(error)") }
    }

    private mutating func apply(_ log: WriteAheadLog, to pages: inout Data) {
        guard log.frames > 0 else { return }
        let whole = LogFrames(log)
        guard let last = whole.last else { return }
        var written: [Int: Int] = [:]
        for frame in 1...last where whole.isWhole[frame] { written[log.page(of: frame)] = frame }
        pages = resized(pages, to: log.commit(of: last) * log.pageBytes)
        for (page, frame) in written where page <= log.commit(of: last) {
            let start = (page - 1) * log.pageBytes
            pages.replaceSubrange(start..<start + log.pageBytes, with: log.content(of: frame))
        }
        kept = whole.isWhole[1...last].count { $0 }
        for frame in 1...last where !whole.isWhole[frame] {
            let start = log.offset(of: frame)
            let end = start + WriteAheadLog.frameHeadBytes + log.pageBytes
            let isWrittenAgain = written[log.page(of: frame)].map { $0 > frame } ?? false
            isLossless = isLossless && isWrittenAgain
            let reason =
                isWrittenAgain
                ? "its page was written again later: nothing is lost"
                : "page \(log.page(of: frame)) is as it was before"
            lost.append(Lost(offset: start, bytes: Array(log.bytes[start..<end]), reason: reason))
        }
    }

    private func resized(_ data: Data, to count: Int) -> Data {
        data.count >= count ? data.prefix(count) : data + Data(count: count - data.count)
    }
}

/// Which frames of a log are whole, although some are not.
struct LogFrames {
    /// By frame; the first place stands for the header.
    private(set) var isWhole: [Bool]
    /// The last frame that commits.
    private(set) var last: Int?

    init(_ log: WriteAheadLog) {
        let salts = log.hasHeader ? log.salts : log.salts(of: 1)
        let head = LogSum().adding(log.bytes[..<24], log.isBigEndian)
        /// What the checksum before a frame may be: as stored there, or as its content gives.
        var before = [log.storedHeaderSum, head]
        isWhole = [true]
        for frame in 1...log.frames {
            let start = log.offset(of: frame)
            let sums = before.map {
                $0.adding(log.bytes[start..<start + 8], log.isBigEndian)
                    .adding(log.content(of: frame), log.isBigEndian)
            }
            let stored = log.storedSum(of: frame)
            let isNext = log.page(of: frame) != 0 && sums.contains(stored)
            isWhole.append(isNext && (log.salts(of: frame) == salts || isWhole[frame - 1]))
            // The checksum of the frame before was wrong, not its content: this one runs on from the content.
            if isNext, frame > 1, !isWhole[frame - 1], sums.first != stored {
                isWhole[frame - 1] = true
            }
            before = [stored] + sums.prefix(1)
            if isWhole[frame], log.commit(of: frame) != 0 { last = frame }
        }
    }
}
