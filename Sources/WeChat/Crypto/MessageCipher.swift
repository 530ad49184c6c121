import Crypto
import CryptoExtras

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Encrypts and decrypts the bodies of callbacks: AES-256-CBC over
/// `16 random bytes ‖ length (4 bytes, big endian) ‖ message ‖ tail id`, padded with PKCS#7 to blocks of **32** bytes.
package struct MessageCipher: Sendable {
    /// What follows the message: the account's appid, or the platform's (component) appid for everything that
    /// reaches a third-party platform.
    package let tailID: String
    private let key: SymmetricKey
    private let vector: [UInt8]

    package init(key: EncodingAESKey, tailID: String) {
        self.tailID = tailID
        self.key = SymmetricKey(data: key.bytes)
        vector = Array(key.bytes.prefix(16))
    }

    /// - Parameter random: 16 bytes that nobody can foresee.
    /// - Returns: base64.
    package func encrypt(_ message: [UInt8], random: [UInt8]) -> String {
        precondition(random.count == 16, "the head of a message is 16 random bytes")
        var plain = random
        withUnsafeBytes(of: UInt32(message.count).bigEndian) { plain.append(contentsOf: $0) }
        plain += message
        plain += Array(tailID.utf8)
        let pad = 32 - plain.count % 32
        plain += Array(repeating: UInt8(pad), count: pad)
        do {
            let sealed = try AES._CBC.encrypt(
                plain,
                using: key,
                iv: AES._CBC.IV(ivBytes: vector),
                noPadding: true
            )
            return sealed.base64EncodedString()
        } catch {
            // The key has 32 bytes, the vector 16, the text is a multiple of 16: nothing is left to fail.
            preconditionFailure("AES-CBC refused valid input: \(error)")
        }
    }

    /// - Throws: ``CallbackError`` with `badCiphertext` or `wrongTail`; nothing larger than the input is allocated.
    package func decrypt(_ base64: String) throws(CallbackError) -> [UInt8] {
        // Blanks and line breaks are left out byte by byte: asking Unicode about every letter took a tenth of a callback's time.
        guard let sealed = Data(base64Encoded: Data(base64.utf8.filter { $0 > 0x20 })) else {
            throw CallbackError(.badCiphertext, "Encrypt is not base64")
        }
        guard !sealed.isEmpty, sealed.count.isMultiple(of: 16) else {
            throw CallbackError(.badCiphertext, "\(sealed.count) bytes are not whole AES blocks")
        }
        let plain: Data
        do {
            plain = try AES._CBC.decrypt(
                sealed,
                using: key,
                iv: AES._CBC.IV(ivBytes: vector),
                noPadding: true
            )
        } catch {
            throw CallbackError(.badCiphertext, "AES-CBC: \(error)")
        }
        return try unwrap(Array(plain))
    }

    private func unwrap(_ plain: [UInt8]) throws(CallbackError) -> [UInt8] {
        guard let pad = plain.last.map(Int.init), (1...32).contains(pad),
            plain.count >= 20 + pad,
            plain.suffix(pad).allSatisfy({ $0 == UInt8(pad) })
        else {
            throw CallbackError(.badCiphertext, "the padding is damaged, or the key is another")
        }
        let length = plain[16..<20].reduce(0) { $0 << 8 | Int($1) }
        let end = plain.count - pad
        guard length <= end - 20 else {
            throw CallbackError(.badCiphertext, "the length is absurd: probably another key")
        }
        guard plain[(20 + length)..<end].elementsEqual(tailID.utf8) else {
            throw CallbackError(.wrongTail, "the message was encrypted for another appid")
        }
        return Array(plain[20..<20 + length])
    }
}
