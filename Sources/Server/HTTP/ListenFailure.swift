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
    /// The configuration is wrong, rather than the machine in a state that may pass.
    package let isMisconfigured: Bool

    package init(_ description: String, isMisconfigured: Bool = true) {
        self.description = description
        self.isMisconfigured = isMisconfigured
    }

    /// Whether it is an error of listening.
    static func explains(_ error: any Error) -> Bool {
        error is IOError || error is SocketAddressError || error is SocketAddressError.UnknownHost
    }

    /// What an error of looking the host up, or of the bind call, means.
    init(_ error: any Error, host: String, port: Int) {
        let place = "\(host):\(port)"
        let isUnknown = error is SocketAddressError.UnknownHost || error is SocketAddressError
        isMisconfigured = isUnknown || (error as? IOError)?.errnoCode == EADDRNOTAVAIL
        guard !isUnknown else {
            description =
                "http.host is '\(host)', which is no address and no name that this machine knows. Set "
                + "it (--http-host, BELFRY_HTTP_HOST) to an address of this machine without brackets "
                + "or port, such as 127.0.0.1, ::1 or 0.0.0.0."
            return
        }
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
                "http.host is '\(host)', which is no address of this machine. Set it (--http-host, "
                + "BELFRY_HTTP_HOST) to one that is, or to 127.0.0.1."
        default:
            description =
                "Cannot listen on \(place) (http.host and http.port): \(error)"
        }
    }
}
