import Foundation

/// A certificate for 127.0.0.1 and localhost that signs itself, made for one test, and how a server uses it.
package final class Certificate: Sendable {
    package let folder: String
    /// Where the server listens with TLS.
    package let port: Int

    package var file: String { "\(folder)/server.crt" }

    package var keyFile: String { "\(folder)/server.key" }

    package init() async throws {
        port = try freePort()
        folder = NSTemporaryDirectory() + "belfry-certificate-\(UUID())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let made = try await run(
            "openssl",
            [
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout",
                "\(folder)/server.key", "-out", "\(folder)/server.crt",
            ]
        )
        guard made.status == 0 else {
            throw ServerMissing(description: "openssl made no certificate")
        }
    }

    deinit {
        // A test's leavings, in a temporary folder.
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Options of redis-server.
    package var arguments: [String] {
        [
            "--tls-port", String(port), "--tls-cert-file", file, "--tls-key-file", keyFile,
            "--tls-ca-cert-file", file, "--tls-auth-clients", "no",
        ]
    }
}
