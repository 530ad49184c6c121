import BelfryActivation
import BelfryCore
import BelfryRecords
import Synchronization

/// Who is working on whose reminders, and which reminders are on their way out.
///
/// What changes a reminder and what decides about one that is due never work on the same person at once: *schedule first, then record* would
/// leave a moment in which the gate finds the push and not yet the subscription. From the gate's word until the end is on record
/// a reminder is *aboard*: it may be cancelled no more with a promise, is not moved, and is in nobody else's message.
package final class ReminderBook: Sendable {
    /// The version of a push that carries reminders.
    private struct Carrier: Hashable {
        var push: PushID
        var sequence: UInt64

        init(_ claim: Claim) {
            push = claim.push.id
            sequence = claim.sequence
        }
    }

    private struct State {
        var busy: Set<Recipient> = []
        var waiting: [CheckedContinuation<Void, Never>] = []
        var aboard: [ReminderKey: (carrier: Carrier, since: Timestamp)] = [:]
        var loads: [Carrier: [ReminderKey]] = [:]
    }

    /// A claim that was lost to somebody else is never told of here; by then its lease has long ended.
    private static let patience = Duration.minutes(15)

    private let state = Mutex(State())

    package init() {}

    // MARK: Whose turn it is

    /// Does `work` while nobody else works on any of these people.
    func alone<Value>(with people: Set<Recipient>, _ work: () async throws -> Value) async rethrows
        -> Value
    {
        await acquire(people)
        defer { release(people) }
        return try await work()
    }

    private func acquire(_ people: Set<Recipient>) async {
        while true {
            let isFree = state.withLock { take(people, &$0) }
            if isFree { return }
            await withCheckedContinuation { continuation in
                let isFree = state.withLock { state in
                    if state.busy.isDisjoint(with: people) { return true }
                    state.waiting.append(continuation)
                    return false
                }
                if isFree { continuation.resume() }
            }
        }
    }

    private func take(_ people: Set<Recipient>, _ state: inout State) -> Bool {
        guard state.busy.isDisjoint(with: people) else { return false }
        state.busy.formUnion(people)
        return true
    }

    private func release(_ people: Set<Recipient>) {
        let waiting = state.withLock { state in
            state.busy.subtract(people)
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    // MARK: What is on its way

    func board(_ keys: [ReminderKey], with claim: Claim, at now: Timestamp) {
        let carrier = Carrier(claim)
        state.withLock { state in
            for key in keys { state.aboard[key] = (carrier, now) }
            state.loads[carrier] = keys
        }
    }

    /// Whether a reminder is on its way with another push, or another version of its own.
    func isAboard(_ key: ReminderKey, but claim: Claim? = nil, at now: Timestamp) -> Bool {
        state.withLock { state in
            guard let place = state.aboard[key], now < place.since + Self.patience else {
                return false
            }
            return claim.map { Carrier($0) != place.carrier } ?? true
        }
    }

    /// What a claim carries; what its name says where it never came to the gate.
    func load(of claim: Claim) -> [ReminderKey] {
        if let keys = state.withLock({ $0.loads[Carrier(claim)] }) { return keys }
        return ReminderID(claim.push.id).map { [ReminderKey($0)] } ?? []
    }

    /// Its end is on record, or it waits again.
    func leave(_ claim: Claim) {
        let carrier = Carrier(claim)
        state.withLock { state in
            for key in state.loads.removeValue(forKey: carrier) ?? []
            where state.aboard[key]?.carrier == carrier {
                state.aboard[key] = nil
            }
        }
    }
}

extension ReminderKey {
    init(_ id: ReminderID) { self.init(topic: id.topic, person: id.person) }

    var push: PushID { ReminderID(topic: topic, person: person).push }
}
