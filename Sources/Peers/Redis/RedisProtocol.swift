import BelfryBench
import BelfryCore

/// The bytes of RESP, Redis's protocol: a command is an array of strings with their lengths.
enum RedisProtocol {
    /// Puts a push: one record an id, so that the newest version of it replaces the others. Answers 1 for a new id.
    static let script = """
        local new = redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
        redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
        return new
        """

    static func command(_ words: [String]) -> [UInt8] {
        var bytes = header(words.count)
        for word in words { append(Array(word.utf8), to: &bytes) }
        return bytes
    }

    /// One call of the script for each push, one after another.
    static func puts(_ serials: Range<Int>, script: String, from now: Timestamp) -> [UInt8] {
        let head = command(["EVALSHA", script, "2", "pushes", "due"]).dropFirst(4)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(serials.count * 320)
        for serial in serials {
            bytes += header(8)
            bytes += head
            append(BenchPushes.id(serial), to: &bytes)
            let due = now + BenchPushes.delay(serial)
            append(Array(String(due.milliseconds).utf8), to: &bytes)
            append(BenchPushes.payload, to: &bytes)
        }
        return bytes
    }

    /// The number of an answer such as `:42`.
    static func integer(_ line: String?) -> Int? {
        guard let line, line.hasPrefix(":") else { return nil }
        return Int(line.dropFirst())
    }

    private static func header(_ count: Int) -> [UInt8] { Array("*\(count)\r\n".utf8) }

    private static func append(_ word: [UInt8], to bytes: inout [UInt8]) {
        bytes += "$\(word.count)\r\n".utf8
        bytes += word
        bytes += [13, 10]
    }
}
