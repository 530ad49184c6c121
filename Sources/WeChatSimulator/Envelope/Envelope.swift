import CryptoExtras

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Why an encrypted text was refused.
enum EnvelopeError: String, Error, Sendable {
    case notBase64 = "Encrypt is not Base64"
    case size = "the ciphertext is not a positive multiple of 32 bytes"
    case cipher = "AES failed"
    case padding = "the padding is not PKCS#7 to 32 bytes"
    case length = "the stated length does not fit"
    case tail = "the id at the end is not the account's"
}

/// AES-256-CBC as WeChat uses it: 16 random bytes, 4 bytes of length, message, id; PKCS#7 to blocks of 32 bytes; the
/// first 16 bytes of the key are the IV.
struct Envelope: Sendable {
    let key: EncodingKey
    /// The id at the end: the account's appid.
    let tail: String

    /// - Parameter random: exactly 16 bytes.
    func encrypt(_ message: [UInt8], random: [UInt8]) throws(EnvelopeError) -> String {
        let count = UInt32(message.count)
        var plain = random
        for shift in [24, 16, 8, 0] { plain.append(UInt8(truncatingIfNeeded: count >> shift)) }
        plain += message
        plain += Array(tail.utf8)
        let pad = 32 - plain.count % 32
        plain += [UInt8](repeating: UInt8(pad), count: pad)
        do {
            let sealed = try AES._CBC.encrypt(
                plain,
                using: SymmetricKey(data: key.bytes),
                iv: AES._CBC.IV(ivBytes: key.bytes.prefix(16)),
                noPadding: true
            )
            return sealed.base64EncodedString()
        } catch {
            throw .cipher
        }
    }

    func decrypt(_ text: String) throws(EnvelopeError) -> [UInt8] {
        guard let sealed = Data(base64Encoded: text) else { throw .notBase64 }
        if sealed.isEmpty || sealed.count % 32 != 0 { throw .size }
        let plain: [UInt8]
        do {
            plain = Array(
                try AES._CBC.decrypt(
                    sealed,
                    using: SymmetricKey(data: key.bytes),
                    iv: AES._CBC.IV(ivBytes: key.bytes.prefix(16)),
                    noPadding: true
                )
            )
        } catch {
            throw .cipher
        }
        let pad = Int(plain.last ?? 0)
        guard (1...32).contains(pad), plain.suffix(pad).allSatisfy({ Int($0) == pad }) else {
            throw .padding
        }
        let body = plain.dropLast(pad)
        guard body.count >= 20 else { throw .length }
        let count = body[16..<20].reduce(0) { $0 << 8 | Int($1) }
        guard 20 + count <= body.count else { throw .length }
        guard body[(20 + count)...].elementsEqual(tail.utf8) else { throw .tail }
        return Array(body[20..<20 + count])
    }
}
