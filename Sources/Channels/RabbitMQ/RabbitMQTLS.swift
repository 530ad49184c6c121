import CRabbitMQ

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// How a broker proves who it is, and who we are.
package struct RabbitMQTLS: Sendable, Hashable {
    /// Certificates to trust (PEM); `nil`: the system's.
    package var authorities: String?
    /// Our own certificate and its key (PEM), where the broker asks for one.
    package var certificate: String?
    package var key: String?
    /// Whether the broker's certificate must be trusted and name its host.
    package var verifies = true

    /// - Parameter options: `cacertfile`, `certfile`, `keyfile`, `verify`.
    /// - Throws: ``RabbitMQAddressProblem`` that names the option.
    init(_ options: [String: String]) throws(RabbitMQAddressProblem) {
        for (name, value) in options {
            switch name {
            case "cacertfile": authorities = value
            case "certfile": certificate = value
            case "keyfile": key = value
            case "verify" where value == "verify_peer": verifies = true
            case "verify" where value == "verify_none": verifies = false
            case "verify":
                throw RabbitMQAddressProblem("has a verify other than verify_peer and verify_none")
            default:
                throw RabbitMQAddressProblem(
                    "has the option \(name); known are cacertfile, certfile, keyfile and verify"
                )
            }
        }
        guard (certificate == nil) == (key == nil) else {
            throw RabbitMQAddressProblem("needs certfile and keyfile together")
        }
    }

    /// Where systems keep the authorities that they trust: Debian, Red Hat, Alpine and macOS.
    private static let usualAuthorities = [
        "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/cert.pem",
    ]

    /// A socket of the connection that speaks TLS as told, not yet connected.
    ///
    /// - Throws: ``RabbitMQFailure`` with `tls` where a file cannot be used.
    func socket(for connection: amqp_connection_state_t) throws(RabbitMQFailure) -> OpaquePointer {
        guard let socket = amqp_ssl_socket_new(connection) else {
            throw RabbitMQFailure("unreachable", "there is no memory for a socket")
        }
        amqp_ssl_socket_set_verify_peer(socket, verifies ? 1 : 0)
        amqp_ssl_socket_set_verify_hostname(socket, verifies ? 1 : 0)
        _ = amqp_ssl_socket_set_ssl_versions(socket, AMQP_TLSv1_2, AMQP_TLSvLATEST)
        if verifies { try trust(socket) }
        if let certificate, let key,
            amqp_ssl_socket_set_key(socket, certificate, key) != RabbitMQ.fine
        {
            throw RabbitMQFailure(
                "tls",
                "certfile \(certificate) or keyfile \(key) cannot be used"
            )
        }
        return socket
    }

    private func trust(_ socket: OpaquePointer) throws(RabbitMQFailure) {
        let files = FileManager.default
        guard
            let file = authorities
                ?? Self.usualAuthorities.first(where: { files.isReadableFile(atPath: $0) })
        else {
            throw RabbitMQFailure("tls", "this system has no list of certificate authorities")
        }
        guard amqp_ssl_socket_set_cacert(socket, file) == RabbitMQ.fine else {
            throw RabbitMQFailure("tls", "no certificates can be read from \(file)")
        }
    }
}
