#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// One TCP connection over loopback whose calls block. It costs so little that what is measured is the server.
package struct ByteStream: ~Copyable {
    let descriptor: Int32

    /// - Throws: ``LoadFailure`` where nobody listens.
    package init(port: Int) throws(LoadFailure) {
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

    /// - Throws: ``LoadFailure`` where the connection breaks.
    package func write(_ bytes: [UInt8]) throws(LoadFailure) {
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

    /// Waits for bytes, and puts what has come into `buffer` from `offset` on.
    ///
    /// - Returns: how many have come; at least one.
    /// - Throws: ``LoadFailure`` where the connection breaks.
    package func read(into buffer: inout [UInt8], at offset: Int) throws(LoadFailure) -> Int {
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

    private static var reason: String { String(cString: strerror(errno)) }
}

/// Why a load could not be put on a server.
package struct LoadFailure: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
