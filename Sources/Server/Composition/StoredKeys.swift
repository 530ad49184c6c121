package import BelfryCore
package import BelfryRecords
import Synchronization

/// Finds who is behind an API key. The keys lie in the records, as SHA-256 alone. A key that was looked up is believed for a few seconds, so that a busy client costs no query each time; a
/// revoked key stops working within that time, at once where it was revoked here.
package final class StoredKeys: Sendable {
    private struct Known {
        var hash: [UInt8]
        var principal: Principal
        var until: Timestamp
    }

    private static let belief = Duration.seconds(5)
    private static let remembered = 1024

    private let records: Records
    private let clock: any WallClock
    private let known = Mutex<[String: Known]>([:])

    package init(records: Records, clock: any WallClock) {
        self.records = records
        self.clock = clock
    }

    /// - Parameter id: the part of the key that names it.
    /// - Returns: the key's hash and its holder; `nil` for an unknown, revoked or expired one.
    package func find(id: String) async throws -> (hash: [UInt8], principal: Principal)? {
        let now = clock.now()
        if let found = known.withLock({ $0[id] }), now < found.until {
            return (found.hash, found.principal)
        }
        guard let key = try await records.keys.find(id: id), key.isValid(at: now) else {
            known.withLock { _ = $0.removeValue(forKey: id) }
            return nil
        }
        try await records.keys.touch(id)
        let principal = Principal(
            id: key.id,
            name: key.name,
            scopes: Set(key.scopes.compactMap(Scope.init(rawValue:)))
        )
        let until = min(now + Self.belief, key.expires ?? .distantFuture)
        known.withLock { known in
            if known.count >= Self.remembered { known.removeAll() }
            known[id] = Known(hash: key.hash, principal: principal, until: until)
        }
        return (key.hash, principal)
    }

    /// Whether no key is valid: the server listens on loopback only then.
    package func isEmpty() async throws -> Bool {
        let now = clock.now()
        return try await !records.keys.all().contains { $0.isValid(at: now) }
    }

    /// Forgets what is believed: keys were changed.
    package func refresh() { known.withLock { $0.removeAll() } }

    /// Makes the first key where there is none at all, for whoever starts the server.
    ///
    /// - Parameter keep: puts the key where its owner finds it, before it counts: a key that nobody has would lock everybody out.
    /// - Returns: the key, shown this once; `nil` where keys exist.
    func makeFirst(keep: (APIKey) throws -> Void) async throws -> APIKey? {
        guard try await records.keys.all().isEmpty else { return nil }
        var random = SystemRandomNumberGenerator()
        let key = APIKey.make(using: &random)
        try keep(key)
        try await records.keys.add(
            KeyRecord(
                id: key.id,
                name: "first admin",
                key: Secret(key.text),
                scopes: [Scope.admin.rawValue],
                created: clock.now()
            )
        )
        return key
    }
}
