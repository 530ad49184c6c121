import Crypto
import Foundation

/// Keeps secrets unreadable in the file: AES-256-GCM under the server's key, each value bound to the place where it lies, so that
/// copying one account's sealed secret to another row does not open.
struct SecretSeal: Sendable {
    private let key: SymmetricKey

    /// - Parameter secretKey: 32 bytes of randomness, kept outside the database.
    init(secretKey: [UInt8]) throws(RecordsError) {
        guard secretKey.count == 32 else {
            throw RecordsError(.invalid, "secretKey: is \(secretKey.count) bytes; 32 are needed")
        }
        key = SymmetricKey(data: secretKey)
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
