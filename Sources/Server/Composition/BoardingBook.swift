import BelfryActivation
import BelfryCore
import Synchronization

/// The people whose pushes are on their way out: what the gate knew of them is needed again when the push ends.
///
/// Bounded by the dispatcher's capacity: an entry is made when the gate decides and goes when the end is recorded.
final class BoardingBook: Sendable {
    private struct Key: Hashable {
        var id: PushID
        var sequence: UInt64
    }

    private let people = Mutex<[Key: FlowPerson]>([:])

    subscript(claim: Claim) -> FlowPerson? {
        get { people.withLock { $0[Key(id: claim.push.id, sequence: claim.sequence)] } }
        set { people.withLock { $0[Key(id: claim.push.id, sequence: claim.sequence)] = newValue } }
    }
}
