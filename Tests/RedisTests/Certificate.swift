import BelfryRedisProcess
import Foundation

/// A certificate for 127.0.0.1 that signs itself, made for one test, and how a server uses it.
final class Certificate: Sendable {
    let folder: String
    /// Where the server listens with TLS.
    let port: Int

    var file: String { "\(folder)/server.crt" }

    init() async throws {
        port = try freePort()
        folder = NSTemporaryDirectory() + "belfry-certificate-\(UUID())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let made = try await run(
            "openssl",
            [
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
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
    var arguments: [String] {
        [
            "--tls-port", String(port), "--tls-cert-file", file, "--tls-key-file",
            "\(folder)/server.key", "--tls-ca-cert-file", file, "--tls-auth-clients", "no",
        ]
    }
}
