import Crypto

/// The signatures of callbacks: SHA-1 over the sorted parts, in lower-case hexadecimal digits.
enum Signature {
    /// `parts`: token, timestamp, nonce, and for `msg_signature` also the text of `Encrypt`.
    static func of(_ parts: String...) -> String {
        // Byte order: String's own `<` follows Unicode's canonical order.
        let sorted = parts.map { Array($0.utf8) }.sorted { $0.lexicographicallyPrecedes($1) }
        var hex: [UInt8] = []
        hex.reserveCapacity(40)
        for byte in Insecure.SHA1.hash(data: Array(sorted.joined())) {
            hex.append(digits[Int(byte >> 4)])
            hex.append(digits[Int(byte & 15)])
        }
        return String(decoding: hex, as: UTF8.self)
    }

    private static let digits = Array("0123456789abcdef".utf8)
}
