import BelfryCore
import Crypto

/// The signature of a callback: SHA-1 over the parts, sorted byte by byte and joined without a separator.
package enum CallbackSignature {
    /// - Returns: 40 lower-case hexadecimal digits.
    package static func sign(_ parts: [String]) -> String {
        var hash = Insecure.SHA1()
        // Swift orders strings by Unicode; WeChat by bytes.
        for part in parts.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
            hash.update(data: Array(part.utf8))
        }
        return Hex.text(hash.finalize())
    }

    /// Compares in a time that does not depend on where the texts differ.
    package static func matches(_ given: String, _ parts: [String]) -> Bool {
        ConstantTime.equal(Array(given.utf8), Array(sign(parts).utf8))
    }
}
