#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Reads a file or standard input as lines, in chunks of whole lines, without holding more than one chunk.
///
/// Reading blocks: a program on the command line has nothing better to do meanwhile.
package struct LineSource: ~Copyable {
    private let descriptor: Int32
    private let name: String
    private var buffer: [UInt8] = []
    private var isAtEnd = false
    /// The number of the next chunk's first line, from 1.
    package private(set) var line = 1

    /// - Parameter path: a file, or `-` for standard input.
    /// - Throws: ``ClientError/input(_:)``.
    package init(path: String) throws(ClientError) {
        name = path == "-" ? "standard input" : path
        descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw .input("\(path): \(String(cString: strerror(errno)))")
        }
    }

    deinit { if descriptor > STDIN_FILENO { close(descriptor) } }

    /// The next whole lines, at most so many and so many bytes together; `nil` at the end.
    ///
    /// - Throws: ``ClientError/input(_:)`` where reading fails or a single line is longer than `bytes`.
    package mutating func next(lines: Int, bytes: Int) throws(ClientError) -> (
        first: Int, text: [UInt8], lines: Int
    )? {
        while true {
            let (length, count) = whole(lines: lines, bytes: bytes)
            // A full chunk, or all there is: what is complete goes out even if more may come later.
            if count == lines || (count > 0 && (isAtEnd || buffer.count >= bytes)) {
                return take(length, count)
            }
            if isAtEnd {
                return buffer.isEmpty ? nil : take(buffer.count, 1)
            }
            if buffer.count >= bytes {
                throw .input("\(name):\(line): the line is longer than \(bytes) bytes")
            }
            try fill()
        }
    }

    private func whole(lines: Int, bytes: Int) -> (length: Int, count: Int) {
        var length = 0
        var count = 0
        let limit = min(buffer.count, bytes)
        var index = 0
        while index < limit, count < lines {
            if buffer[index] == UInt8(ascii: "\n") {
                count += 1
                length = index + 1
            }
            index += 1
        }
        return (length, count)
    }

    private mutating func take(_ length: Int, _ count: Int) -> (
        first: Int, text: [UInt8], lines: Int
    ) {
        let first = line
        let text = Array(buffer[..<length])
        buffer.removeFirst(length)
        line += count
        return (first, text, count)
    }

    private mutating func fill() throws(ClientError) {
        let size = 1 << 18
        var block = [UInt8](repeating: 0, count: size)
        var count: Int
        repeat { count = read(descriptor, &block, size) } while count < 0 && errno == EINTR
        guard count >= 0 else { throw .input("\(name): \(String(cString: strerror(errno)))") }
        if count == 0 { isAtEnd = true } else { buffer += block[..<count] }
    }
}
