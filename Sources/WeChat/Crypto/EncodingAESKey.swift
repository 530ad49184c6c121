/// The operator's EncodingAESKey: 43 base64 characters that stand for an AES-256 key.
///
/// 43 characters carry 258 bits. The last two need not be zero, which strict decoders refuse, so they are dropped here.
package struct EncodingAESKey: Sendable, Hashable, CustomStringConvertible {
    /// The 32 bytes of the AES key; its first 16 are the initialisation vector.
    package let bytes: [UInt8]

    /// - Throws: ``InvalidAESKey`` unless `text` is exactly 43 base64 characters.
    package init(_ text: String) throws(InvalidAESKey) {
        guard text.utf8.count == 43 else { throw InvalidAESKey() }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(32)
        var buffer: UInt32 = 0
        var bits = 0
        for character in text.utf8 {
            guard let value = Self.sixBits(character) else { throw InvalidAESKey() }
            buffer = (buffer << 6 | value) & 0xFFFF
            bits += 6
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: buffer >> UInt32(bits)))
            }
        }
        self.bytes = bytes
    }

    /// Never the key itself.
    package var description: String { "EncodingAESKey(hidden)" }

    private static func sixBits(_ character: UInt8) -> UInt32? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character - UInt8(ascii: "a") + 26)
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character - UInt8(ascii: "0") + 52)
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}

/// The text is not an EncodingAESKey.
package struct InvalidAESKey: Error, Sendable, Hashable, CustomStringConvertible {
    package var description: String {
        "an EncodingAESKey is exactly 43 letters and digits, as the WeChat console shows it"
    }
}
