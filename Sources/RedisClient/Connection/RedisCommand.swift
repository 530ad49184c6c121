import CHiredis
import NIOCore

/// One command: its words, packed one after another.
package struct RedisCommand: Sendable {
    private(set) var bytes: [UInt8] = []
    private var lengths: [Int] = []

    package init(_ words: String...) {
        for word in words { append(word) }
    }

    /// How many words.
    package var count: Int { lengths.count }

    package mutating func append(_ word: String) {
        let before = bytes.count
        bytes.append(contentsOf: word.utf8)
        lengths.append(bytes.count - before)
    }

    package mutating func append(_ number: Int) { append(String(number)) }

    package mutating func append(_ word: [UInt8]) {
        bytes.append(contentsOf: word)
        lengths.append(word.count)
    }

    /// Writes it as the server reads it.
    func write(to buffer: inout ByteBuffer) {
        bytes.withUnsafeBytes { raw in
            guard let start = raw.bindMemory(to: CChar.self).baseAddress else {
                preconditionFailure("a command has a word")
            }
            var offset = 0
            var words: [UnsafePointer<CChar>?] = lengths.map { length in
                defer { offset += length }
                return start + offset
            }
            let sizes = lengths
            var target: UnsafeMutablePointer<CChar>?
            let count = redisFormatCommandArgv(&target, Int32(words.count), &words, sizes)
            // It fails only where memory cannot be had, or where a word is longer than an int can say.
            guard count > 0, let target else { preconditionFailure("a command was not formatted") }
            defer { redisFreeCommand(target) }
            buffer.writeBytes(UnsafeRawBufferPointer(start: target, count: Int(count)))
        }
    }
}
