#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// One bare HTTP/1.1 connection over loopback: requests are bytes laid out beforehand, calls block. It costs so little that what is
/// measured is the server.
struct RawConnection: ~Copyable {
    private let descriptor: Int32
    private var buffer = [UInt8](repeating: 0, count: 1 << 18)

    /// - Throws: ``LoadFailure`` where nobody listens.
    init(port: Int) throws(LoadFailure) {
        #if canImport(Darwin)
        let type = SOCK_STREAM
        #elseif canImport(Musl)
        let type = SOCK_STREAM
        #else
        let type = Int32(SOCK_STREAM.rawValue)
        #endif
        descriptor = socket(AF_INET, type, 0)
        guard descriptor >= 0 else { throw LoadFailure("socket: \(Self.reason)") }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) }
        }
        guard connected == 0 else { throw LoadFailure("connect: \(Self.reason)") }
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, 4)
    }

    deinit { close(descriptor) }

    /// Sends a request and reads its answer to the end.
    ///
    /// - Throws: ``LoadFailure`` where the connection breaks, or the answer has no Content-Length.
    mutating func exchange(_ request: [UInt8]) throws(LoadFailure) -> RawAnswer {
        try write(request)
        var filled = 0
        while true {
            if let end = headEnd(filled) {
                return try body(after: end, filled)
            }
            guard filled < buffer.count else {
                throw LoadFailure("the head of the answer is too long")
            }
            filled += try read(at: filled)
        }
    }

    private func write(_ bytes: [UInt8]) throws(LoadFailure) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                send(descriptor, $0.baseAddress?.advanced(by: sent), bytes.count - sent, 0)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw LoadFailure("send: \(Self.reason)") }
            sent += count
        }
    }

    private mutating func read(at offset: Int) throws(LoadFailure) -> Int {
        while true {
            let count = buffer.withUnsafeMutableBytes {
                recv(descriptor, $0.baseAddress?.advanced(by: offset), $0.count - offset, 0)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                throw LoadFailure(count == 0 ? "the server hung up" : "recv: \(Self.reason)")
            }
            return count
        }
    }

    /// Where the body begins; `nil` while the head is not complete.
    private func headEnd(_ filled: Int) -> Int? {
        var index = 3
        while index < filled {
            if buffer[index] == 10, buffer[index - 1] == 13, buffer[index - 2] == 10 {
                return index + 1
            }
            index += 1
        }
        return nil
    }

    private mutating func body(after end: Int, _ filled: Int) throws(LoadFailure) -> RawAnswer {
        let head = String(decoding: buffer[..<end], as: UTF8.self).lowercased()
        let words = head.split(separator: " ", maxSplits: 2)
        guard words.count > 1, let status = Int(words[1]),
            let field = head.split(separator: "\r\n").first(where: {
                $0.hasPrefix("content-length:")
            }),
            let length = Int(field.dropFirst(15).filter { $0 != " " })
        else { throw LoadFailure("an answer without a length: \(head.prefix(200))") }
        var answer = RawAnswer(status: status)
        answer.count(buffer[end..<filled])
        var rest = length - (filled - end)
        while rest > 0 {
            let count = try read(at: 0)
            answer.count(buffer[..<count])
            rest -= count
        }
        guard rest == 0 else { throw LoadFailure("more came than was announced") }
        return answer
    }

    private static var reason: String { String(cString: strerror(errno)) }
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

/// Why a load could not be put on a server.
struct LoadFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
