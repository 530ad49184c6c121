package import BelfryCore
import Crypto

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// A shared secret of a webhook, `whsec_` and base64 of 24 to 64 bytes. Never shows itself.
package struct WebhookSecret: Sendable, Hashable, CustomStringConvertible {
    private let bytes: [UInt8]

    /// `nil` unless the text is a secret of the Standard Webhooks specification.
    package init?(_ text: String) {
        let prefix = "whsec_"
        guard text.hasPrefix(prefix), let data = Data(base64Encoded: String(text.dropFirst(6))),
            (24...64).contains(data.count)
        else { return nil }
        bytes = Array(data)
    }

    /// A new secret of 32 bytes, as text to be shown once.
    package static func generate(using random: inout some RandomNumberGenerator) -> String {
        let bytes = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        return "whsec_" + Data(bytes).base64EncodedString()
    }

    package var description: String { "WebhookSecret(hidden)" }

    fileprivate var key: SymmetricKey { SymmetricKey(data: bytes) }
}

/// Signatures of the Standard Webhooks specification (standardwebhooks.com): HMAC-SHA-256 over `id.timestamp.body`.
package enum WebhookSignature {
    /// The value of `webhook-signature`: one signature for each secret, so that a receiver can change its own at leisure.
    package static func sign(
        id: String,
        seconds: Int64,
        body: [UInt8],
        secrets: [WebhookSecret]
    ) -> String {
        let content = content(id, String(seconds), body)
        return secrets.map { secret in
            let code = HMAC<SHA256>.authenticationCode(for: content, using: secret.key)
            return "v1," + Data(code).base64EncodedString()
        }.joined(separator: " ")
    }

    /// Why a webhook is not believed.
    package enum Refusal: Error, Sendable, Hashable {
        case malformed
        /// Signed too long ago, or too far ahead: a replay, or a wrong clock.
        case stale
        case forged
    }

    /// What a receiver does with the three headers, in a time that does not depend on where signatures differ.
    ///
    /// - Parameter tolerance: how far the signed time may be from `now`; five minutes is usual.
    package static func verify(
        id: String,
        timestamp: String,
        signature: String,
        body: [UInt8],
        secrets: [WebhookSecret],
        now: Timestamp,
        tolerance: Duration = .minutes(5)
    ) throws(Refusal) {
        guard !id.isEmpty, timestamp.utf8.count <= 12, let seconds = Int64(timestamp) else {
            throw .malformed
        }
        let content = content(id, timestamp, body)
        let given = signature.split(separator: " ").prefix(16).compactMap { part -> Data? in
            guard part.hasPrefix("v1,") else { return nil }
            return Data(base64Encoded: String(part.dropFirst(3)))
        }
        let known = given.contains { code in
            secrets.contains {
                HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: content, using: $0.key)
            }
        }
        guard known else { throw .forged }
        let age = now - .seconds(seconds)
        guard age <= tolerance, age >= .zero - tolerance else { throw .stale }
    }

    private static func content(_ id: String, _ timestamp: String, _ body: [UInt8]) -> [UInt8] {
        Array("\(id).\(timestamp).".utf8) + body
    }
}
