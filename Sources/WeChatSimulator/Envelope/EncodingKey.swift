#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The AES key behind an EncodingAESKey.
struct EncodingKey: Sendable, Hashable {
    /// 32 bytes.
    let bytes: [UInt8]

    /// nil when the text is not 43 letters and digits.
    ///
    /// 43 characters hold 258 bits. WeChat draws them at random, so that the last two are often set; a strict decoder
    /// refuses those, so they are cleared first.
    init?(_ text: String) {
        let letters = Array(text.utf8)
        guard letters.count == 43, letters.allSatisfy({ Self.alphabet.contains($0) }) else {
            return nil
        }
        guard let last = Self.alphabet.firstIndex(of: letters[42]) else { return nil }
        let canonical = letters.dropLast() + [Self.alphabet[last & ~3], UInt8(ascii: "=")]
        guard let data = Data(base64Encoded: Data(canonical)), data.count == 32 else { return nil }
        bytes = Array(data)
    }

    /// The 62 of Base64's 64 that the console accepts, in Base64's order.
    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8
    )
}
