import NIOCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Why the server cannot listen, and what to do about it.
package struct ListenFailure: Error, Sendable, Equatable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }

    /// What an error of the bind call means.
    init(_ error: any Error, host: String, port: Int) {
        let place = "\(host):\(port)"
        switch (error as? IOError)?.errnoCode {
        case EADDRINUSE:
            description =
                "\(place) is in use by another program. Stop that program (`ss -ltnp` names it), or "
                + "choose another port with --http-port."
        case EACCES, EPERM:
            description =
                "\(place) may not be listened on by this user. Choose a port above 1023 with "
                + "--http-port."
        case EADDRNOTAVAIL:
            description =
                "\(host) is no address of this machine. Set http.host to one that is, or to 127.0.0.1."
        default:
            description = "Cannot listen on \(place): \(error)"
        }
    }
}
