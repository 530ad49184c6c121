import BelfryCore
import BelfryJournal
import Foundation

/// Everything that a repair drops, one JSON object a line: `file`, `offset` and `length` in bytes, `reason`, and `bytes` in base64 as they lay there
/// (fewer than `length` where the file did not reach so far). A file of its owner alone, made with the first line.
final class DroppedLog {
    let path: String
    private var file: FileHandle?
    private(set) var lines = 0

    init(path: String) { self.path = path }

    private struct Line: Encodable {
        var file: String
        var offset: Int
        var length: Int
        var reason: String
        var bytes: String
    }

    /// - Parameter piece: its file is named from the data folder on.
    func write(_ piece: DroppedPiece) throws {
        let line = Line(
            file: piece.file,
            offset: piece.offset,
            length: piece.length,
            reason: piece.reason,
            bytes: Data(piece.bytes).base64EncodedString()
        )
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        try open().write(contentsOf: encoder.encode(line) + Data([0x0a]))
        lines += 1
    }

    /// Before the old files change, what is dropped of them must be safe.
    func sync() throws { try file?.synchronize() }

    /// Removes it. One that cannot be removed tells of what was not done, and harms nobody.
    func discard() {
        guard file != nil else { return }
        try? FileManager.default.removeItem(atPath: path)
    }

    private func open() throws -> FileHandle {
        if let file { return file }
        guard
            FileManager.default.createFile(
                atPath: path,
                contents: nil,
                attributes: [.posixPermissions: 0o600]
            )
        else { throw RepairFailure("\(path) cannot be made") }
        let made = try FileHandle(forWritingTo: URL(filePath: path))
        file = made
        return made
    }
}

/// Why a repair was not done; nothing was changed then.
struct RepairFailure: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}
