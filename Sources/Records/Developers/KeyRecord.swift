package import BelfryCore
import Crypto
import Foundation

/// A key of the HTTP API. Of the key itself only a hash is kept.
package struct KeyRecord: Sendable, Hashable {
    package var id: String
    package var name: String
    /// SHA-256 of the key. The key is 256 random bits, so a slow hash would add nothing.
    package var hash: [UInt8]
    package var scopes: [String]
    package var created: Timestamp
    package var expires: Timestamp?
    package var revoked: Timestamp?
    /// Exact to a minute, so that using a key is not a write each time.
    package var lastUsed: Timestamp?

    package init(
        id: String,
        name: String,
        key: Secret,
        scopes: [String],
        created: Timestamp,
        expires: Timestamp? = nil
    ) {
        self.id = id
        self.name = name
        hash = Self.hash(key)
        self.scopes = scopes
        self.created = created
        self.expires = expires
    }

    package func isValid(at time: Timestamp) -> Bool {
        revoked == nil && expires.map { time < $0 } ?? true
    }

    package static func hash(_ key: Secret) -> [UInt8] {
        Array(SHA256.hash(data: Data(key.reveal().utf8)))
    }

    /// A new key: `bk_` and 256 bits in base64url.
    ///
    /// - Parameter generator: the system's, except in tests.
    package static func newKey(using generator: inout some RandomNumberGenerator) -> Secret {
        let bytes = Data((0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
        let text = bytes.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
            .replacing("=", with: "")
        return Secret("bk_" + text)
    }
}

extension KeyRecord {
    static let columns = "id, name, hash, scopes, created, expires, revoked, last_used"

    init(_ row: SQLRow) throws(RecordsError) {
        self.init(
            id: row.text(0),
            name: row.text(1),
            key: Secret(""),
            scopes: try decoded(row.text(3), "scopes"),
            created: row.time(4),
            expires: row.optionalTime(5)
        )
        hash = row.blob(2)
        revoked = row.optionalTime(6)
        lastUsed = row.optionalTime(7)
    }
}
