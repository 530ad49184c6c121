import BelfryBench

/// A connection to a server that answers in lines.
final class LineConnection {
    private let stream: ByteStream
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)

    init(port: Int) throws { stream = try ByteStream(port: port) }

    /// Sends requests, and waits for as many lines, each with the same beginning.
    ///
    /// - Throws: ``LoadFailure`` with the first line that begins otherwise.
    func ask(_ requests: [UInt8], for lines: Int, beginning prefix: String) throws {
        try stream.write(requests)
        var counter = LineCounter(prefix: prefix)
        while counter.lines < lines {
            let count = try stream.read(into: &buffer, at: 0)
            try counter.take(buffer[..<count])
        }
    }

    /// Sends a request, and returns its answer, of so many lines.
    func ask(_ request: String, lines: Int = 1) throws -> [String] {
        try stream.write(Array(request.utf8))
        var answer: [UInt8] = []
        while answer.count(where: { $0 == 10 }) < lines {
            let count = try stream.read(into: &buffer, at: 0)
            answer += buffer[..<count]
        }
        return String(decoding: answer, as: UTF8.self).split(separator: "\r\n").map(String.init)
    }
}

/// Counts lines as they come in, in any pieces, and holds each against what it must begin with.
struct LineCounter {
    private let prefix: [UInt8]
    private var line: [UInt8] = []
    private(set) var lines = 0

    init(prefix: String) { self.prefix = Array(prefix.utf8) }

    /// - Throws: ``LoadFailure`` with a line that begins otherwise.
    mutating func take(_ bytes: ArraySlice<UInt8>) throws {
        for byte in bytes {
            guard byte == 10 else {
                line.append(byte)
                continue
            }
            guard line.starts(with: prefix) else {
                throw LoadFailure(
                    "the server answered: \(String(decoding: line.prefix(200), as: UTF8.self))"
                )
            }
            line.removeAll(keepingCapacity: true)
            lines += 1
        }
    }
}
