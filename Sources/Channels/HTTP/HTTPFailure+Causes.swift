import AsyncHTTPClient
import BelfryCore
import NIOCore
import NIOPosix

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

extension HTTPFailure {
    /// Tells what surely did not arrive from what may have. In doubt it may have. Never quotes the URL: it can hold a token.
    init(_ error: any Error) {
        switch error {
        case let error as HTTPClientError: self = Self.known(error)
        case let error as NIOConnectionError:
            // Thrown only while connecting: the name was not found or nobody answered.
            let unknownName = error.dnsAError != nil && error.dnsAAAAError != nil
            self.init(
                .notConnected,
                unknownName ? "the host name is not known" : "no connection: \(Self.first(error))"
            )
        case let error as IOError where Self.beforeSending.contains(error.errnoCode):
            self.init(.notConnected, "no connection: \(String(cString: strerror(error.errnoCode)))")
        case let error as IOError:
            let reason = String(cString: strerror(error.errnoCode))
            self.init(.noAnswer, "the connection broke: \(reason)")
        case is CancellationError: self.init(.noAnswer, "cancelled")
        case ChannelError.connectTimeout:
            self.init(.notConnected, "no connection within the time allowed")
        default: self = Self.tls(error)
        }
    }

    private static func known(_ error: HTTPClientError) -> HTTPFailure {
        switch error {
        case .connectTimeout, .tlsHandshakeTimeout, .socksHandshakeTimeout,
            .httpProxyHandshakeTimeout:
            HTTPFailure(.notConnected, "no connection within the time allowed")
        case .getConnectionFromPoolTimeout:
            HTTPFailure(.notConnected, "all connections were busy")
        case .alreadyShutdown: HTTPFailure(.notConnected, "this program is shutting down")
        case .invalidURL, .emptyHost, .emptyScheme, .missingSocketPath,
            .invalidDNSOverridesConfiguration:
            HTTPFailure(.forbidden, "not a web address")
        case .deadlineExceeded, .readTimeout, .writeTimeout:
            HTTPFailure(.noAnswer, "no answer within the time allowed")
        case .remoteConnectionClosed:
            HTTPFailure(.noAnswer, "the other side closed the connection without an answer")
        case .cancelled: HTTPFailure(.noAnswer, "cancelled")
        default:
            // Cases with a payload cannot be matched; these two are about the request alone.
            if error.description.contains("unsupportedScheme")
                || error.description.contains("invalidHeaderField")
            {
                HTTPFailure(.forbidden, error.shortDescription)
            } else {
                HTTPFailure(.noAnswer, error.shortDescription)
            }
        }
    }

    /// TLS errors come from a library below the HTTP client, so they are told by name. A handshake that fails has sent nothing.
    private static func tls(_ error: any Error) -> HTTPFailure {
        let name = String(describing: type(of: error))
        let text = String(describing: error)
        if name == "NIOSSLExtraError" || text.contains("handshakeFailed") {
            return HTTPFailure(.notConnected, "TLS: the certificate or the handshake failed")
        }
        return HTTPFailure(.noAnswer, "the connection broke: \(name)")
    }

    private static func first(_ error: NIOConnectionError) -> String {
        guard let cause = error.connectionErrors.first?.error as? IOError else {
            return "timed out"
        }
        return String(cString: strerror(cause.errnoCode))
    }

    private static let beforeSending: Set<CInt> = [
        ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ENETDOWN, EADDRNOTAVAIL, EMFILE, ENFILE, EACCES,
        EPERM,
    ]
}
