import BelfryCore
import Crypto

/// The form of a key: `bfy_<id>_<secret>`, 8 and 40 letters or digits. Its holder sees it once; we keep a hash.
///
/// The secret has 238 bits of randomness, so a plain SHA-256 cannot be searched, and no slow hash is needed.
package struct APIKey: Sendable {
    package let text: String
    package let id: String

    /// A new one.
    package static func make(using generator: inout some RandomNumberGenerator) -> APIKey {
        func letters(_ count: Int) -> String {
            String(
                (0..<count).map { _ in
                    alphabet[Int.random(in: 0..<alphabet.count, using: &generator)]
                }
            )
        }
        let id = letters(8)
        return APIKey(text: "bfy_\(id)_\(letters(40))", id: id)
    }

    private init(text: String, id: String) {
        self.text = text
        self.id = id
    }

    /// Reads one; `nil` where the form is wrong.
    package init?(_ text: String) {
        let parts = text.split(separator: "_", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "bfy", parts[1].utf8.count == 8,
            parts[2].utf8.count == 40, text.utf8.count == 53
        else { return nil }
        self.init(text: text, id: String(parts[1]))
    }

    package var hash: [UInt8] { Array(SHA256.hash(data: Array(text.utf8))) }

    /// Compares in a time that does not depend on where the hashes differ.
    package func matches(_ stored: [UInt8]) -> Bool { ConstantTime.equal(hash, stored) }

    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    )
}
