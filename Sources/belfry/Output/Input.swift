import BelfryClient

/// What people hand over in files or on standard input.
enum Input {
    /// The whole text of a file, or of standard input for `-`.
    ///
    /// - Throws: ``Failure`` where it cannot be read or is not UTF-8.
    static func text(of path: String) throws -> String {
        guard let text = String(validating: try bytes(of: path), as: UTF8.self) else {
            throw Failure(.badInput, "\(path) is not UTF-8 text")
        }
        return text
    }

    /// The whole of a file, or of standard input for `-`.
    ///
    /// - Throws: ``ClientError/input(_:)`` where it cannot be read, or has a line of more than 64 MiB.
    static func bytes(of path: String) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var source = try LineSource(path: path)
        while let chunk = try source.next(lines: 1 << 20, bytes: 64 << 20) { bytes += chunk.text }
        return bytes
    }

    /// The first word of a file that holds a secret.
    static func firstLine(of path: String, _ what: String) throws -> String {
        let text = try text(of: path)
        guard let word = text.split(whereSeparator: \.isWhitespace).first else {
            throw Failure(.badInput, "\(path) is empty; it should hold \(what)")
        }
        return String(word)
    }
}
