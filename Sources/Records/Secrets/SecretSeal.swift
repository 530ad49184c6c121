import BelfryCore
import Crypto
import Foundation

/// Keeps secrets unreadable in the file: AES-256-GCM under the server's key, each value bound to the place where it lies, so that
/// copying one account's sealed secret to another row does not open.
struct SecretSeal: Sendable {
    private let key: SymmetricKey
    private let markKey: SymmetricKey

    /// - Parameter secretKey: 32 bytes of randomness, kept outside the database.
    init(secretKey: [UInt8]) throws(RecordsError) {
        guard secretKey.count == 32 else {
            throw RecordsError(.invalid, "secretKey: is \(secretKey.count) bytes; 32 are needed")
        }
        key = SymmetricKey(data: secretKey)
        markKey = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: key,
            info: Data("belfry erasure mark".utf8),
            outputByteCount: 32
        )
    }

    /// Stands for a person without naming them: the same for the same person, and nobody can go back from it, or try names, without the
    /// server's key.
    func mark(_ recipient: Recipient) -> [UInt8] {
        // The length in front, so that no two pairs of texts look alike.
        let text = "\(recipient.account.utf8.count)/\(recipient.account)\(recipient.person)"
        return Array(HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: markKey))
    }

    /// - Parameter place: table, row and column.
    func seal(_ secret: Secret, place: String) throws(RecordsError) -> [UInt8] {
        do {
            let box = try AES.GCM.seal(
                Data(secret.reveal().utf8),
                using: key,
                authenticating: Data(place.utf8)
            )
            guard let combined = box.combined else {
                throw RecordsError(.io, "\(place): cannot be sealed")
            }
            return Array(combined)
        } catch { throw RecordsError(.io, "\(place): cannot be sealed") }
    }

    /// - Throws: `invalid` where another key sealed it, or the bytes were changed.
    func open(_ sealed: [UInt8], place: String) throws(RecordsError) -> Secret {
        do {
            let bytes = try AES.GCM.open(
                AES.GCM.SealedBox(combined: sealed),
                using: key,
                authenticating: Data(place.utf8)
            )
            return Secret(try TextLimits.text(utf8: Array(bytes), place, 0...TextLimits.secret))
        } catch {
            throw RecordsError(
                .invalid,
                "\(place): cannot be opened: the secret key is not the one it was sealed with"
            )
        }
    }
}
