/// One bare HTTP/1.1 connection: requests are bytes laid out beforehand, one at a time is under way.
final class RawConnection {
    private let stream: ByteStream
    private var buffer = [UInt8](repeating: 0, count: 1 << 18)
    /// Bytes of the head that have come.
    private var filled = 0
    /// The answer whose body is still coming, and how much of it.
    private var open: (answer: RawAnswer, rest: Int)?

    /// - Throws: ``LoadFailure`` where nobody listens.
    init(port: Int) throws(LoadFailure) { stream = try ByteStream(port: port) }

    /// To be polled for answers.
    var descriptor: Int32 { stream.descriptor }

    func send(_ request: [UInt8]) throws(LoadFailure) { try stream.write(request) }

    /// Reads once; waits only where nothing has come.
    ///
    /// - Returns: the answer, once it is complete.
    /// - Throws: ``LoadFailure`` where the connection breaks, or the answer has no Content-Length.
    func receive() throws(LoadFailure) -> RawAnswer? {
        if var (answer, rest) = open {
            let count = try stream.read(into: &buffer, at: 0)
            answer.count(buffer[..<count])
            rest -= count
            return try finish(answer, rest)
        }
        guard filled < buffer.count else {
            throw LoadFailure("the head of the answer is too long")
        }
        let searched = max(3, filled)
        filled += try stream.read(into: &buffer, at: filled)
        guard let end = headEnd(from: searched) else { return nil }
        let (status, length) = try head(before: end)
        var answer = RawAnswer(status: status)
        answer.count(buffer[end..<filled])
        let rest = length - (filled - end)
        filled = 0
        return try finish(answer, rest)
    }

    private func finish(_ answer: RawAnswer, _ rest: Int) throws(LoadFailure) -> RawAnswer? {
        guard rest >= 0 else { throw LoadFailure("more came than was announced") }
        open = rest > 0 ? (answer, rest) : nil
        return rest > 0 ? nil : answer
    }

    /// Where the body begins; `nil` while the head is not complete.
    private func headEnd(from searched: Int) -> Int? {
        var index = searched
        while index < filled {
            if buffer[index] == 10, buffer[index - 1] == 13, buffer[index - 2] == 10 {
                return index + 1
            }
            index += 1
        }
        return nil
    }

    private func head(before end: Int) throws(LoadFailure) -> (status: Int, length: Int) {
        guard let status = number(at: "HTTP/1.1 ".utf8.count),
            let field = position(of: "\r\ncontent-length: ", before: end),
            let length = number(at: field)
        else {
            let head = String(decoding: buffer[..<min(end, 200)], as: UTF8.self)
            throw LoadFailure("an answer without a length: \(head)")
        }
        return (status, length)
    }

    /// The decimal digits from `start` on; `nil` where there are none.
    private func number(at start: Int) -> Int? {
        var index = start
        var value = 0
        while index < buffer.count, case 48...57 = buffer[index] {
            value = value * 10 + Int(buffer[index] - 48)
            index += 1
        }
        return index > start ? value : nil
    }

    /// Where `words`, in lower case, end in the head, whatever their case there.
    private func position(of words: StaticString, before end: Int) -> Int? {
        words.withUTF8Buffer { words in
            var start = 0
            while start + words.count <= end {
                var matched = 0
                while matched < words.count,
                    Self.lower(buffer[start + matched]) == words[matched]
                {
                    matched += 1
                }
                if matched == words.count { return start + matched }
                start += 1
            }
            return nil
        }
    }

    private static func lower(_ byte: UInt8) -> UInt8 {
        (65...90).contains(byte) ? byte | 32 : byte
    }
}

/// What matters of an answer.
struct RawAnswer: Sendable {
    var status: Int
    /// Lines in the body: the results of a bulk request.
    var lines = 0

    init(status: Int) { self.status = status }

    mutating func count(_ bytes: ArraySlice<UInt8>) {
        bytes.withUnsafeBufferPointer { for byte in $0 where byte == 10 { lines += 1 } }
    }
}
