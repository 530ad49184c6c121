package import BelfryCore
import NIOPosix

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Finds the addresses of a host name.
package protocol HostResolver: Sendable {
    /// - Throws: ``HTTPFailure`` with `notConnected` where the name is not known.
    func resolve(_ host: String) async throws(HTTPFailure) -> [IPAddress]
}

/// The machine's resolver, on a thread that may wait.
package struct SystemResolver: HostResolver {
    package init() {}

    package func resolve(_ host: String) async throws(HTTPFailure) -> [IPAddress] {
        let found: [IPAddress]
        do {
            found = try await NIOThreadPool.singleton.runIfActive { Self.lookUp(host) }
        } catch {
            throw HTTPFailure(.notConnected, "this program is shutting down")
        }
        guard !found.isEmpty else {
            throw HTTPFailure(.notConnected, "the host name is not known")
        }
        return found
    }

    private static func lookUp(_ host: String) -> [IPAddress] {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        #if canImport(Glibc)
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        #else
        hints.ai_socktype = SOCK_STREAM
        #endif
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &list) == 0, let list else { return [] }
        defer { freeaddrinfo(list) }
        var found: [IPAddress] = []
        var next: UnsafeMutablePointer<addrinfo>? = list
        while let entry = next {
            if let raw = entry.pointee.ai_addr, let address = IPAddress(raw),
                !found.contains(address)
            {
                found.append(address)
            }
            next = entry.pointee.ai_next
        }
        return found
    }
}
