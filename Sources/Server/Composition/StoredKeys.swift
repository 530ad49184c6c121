package import BelfryCore
package import BelfryRecords
import Synchronization

/// Finds who is behind an API key. The keys lie in the records, as SHA-256 alone. A key that was looked up is believed for a few seconds, so that a busy client costs no query each time; a
/// revoked key stops working within that time, at once where it was revoked here.
package final class StoredKeys: Sendable {
    private struct Known {
        var hash: [UInt8]
        var principal: Principal
        /// Until when it is believed without looking.
        var until: Timestamp
        /// When the key expires.
        var ends: Timestamp
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
        let key: KeyRecord?
        do { key = try await look(id) } catch {
            // Whoever was known stays so while the records do not answer: to see what is wrong is needed then most.
            if let found = known.withLock({ $0[id] }), now < found.ends {
                return (found.hash, found.principal)
            }
            throw error
        }
        guard let key, key.isValid(at: now) else {
            known.withLock { _ = $0.removeValue(forKey: id) }
            return nil
        }
        let principal = Principal(
            id: key.id,
            name: key.name,
            scopes: Set(key.scopes.compactMap(Scope.init(rawValue:)))
        )
        let ends = key.expires ?? .distantFuture
        let until = min(now + Self.belief, ends)
        known.withLock { known in
            if known.count >= Self.remembered { known.removeAll() }
            known[id] = Known(hash: key.hash, principal: principal, until: until, ends: ends)
        }
        return (key.hash, principal)
    }

    /// A known key's holder does not wait long for records that do not answer.
    private func look(_ id: String) async throws -> KeyRecord? {
        guard known.withLock({ $0[id] != nil }) else { return try await found(id) }
        return try await within(.seconds(1), clock) { [self] in try await found(id) }
    }

    private func found(_ id: String) async throws -> KeyRecord? {
        guard let key = try await records.keys.find(id: id) else { return nil }
        if key.isValid(at: clock.now()) { try await records.keys.touch(id) }
        return key
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
