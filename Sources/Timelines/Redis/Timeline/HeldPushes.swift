import BelfryCore
import Synchronization

/// What this process holds: where the records of its claims lie, so that a shard can end them without looking for them. Only a help: what it has forgotten is found by its id.
final class HeldPushes: Sendable {
    struct Held: Sendable {
        /// Where it stood in its batch: what is done in order is removed at once.
        var place: Int
        var sequence: Int
        var account: String
    }

    private struct Key: Hashable {
        var generation: UInt64
        var id: PushID
    }

    /// More are never on their way at once.
    static let limit = 200_000
    private let held = Mutex<[Key: Held]>([:])

    /// Remembers what a shard has lent and what merges with nothing.
    func take(_ batch: LentBatch, _ claims: [Claim], of shard: Int) {
        held.withLock { held in
            // Those whose leases have ended are never asked for again.
            if held.count >= Self.limit { held.removeAll(keepingCapacity: true) }
            for (place, claim) in claims.enumerated() where !batch.isGroup(place) {
                let key = Key(generation: claim.token.generation, id: claim.token.id)
                held[key] = Held(
                    place: place,
                    sequence: batch.sequences[place],
                    account: claim.push.recipient.account
                )
            }
        }
    }

    /// What is known of these tokens, and forgets it.
    func give(_ tokens: some Sequence<ClaimToken>) -> [Held?] {
        held.withLock { held in
            tokens.map { held.removeValue(forKey: Key(generation: $0.generation, id: $0.id)) }
        }
    }
}
