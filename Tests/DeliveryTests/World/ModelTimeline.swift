import BelfryCore
import Synchronization

/// The promises of a timeline in the fewest lines: what the dispatcher is tested against. It can be told to fail.
final class ModelTimeline: Timeline {
    struct Entry {
        var push: Push
        var asked: Timestamp
        var generation: UInt64
        var sequence: UInt64
        var attempt = 0
        var accepted: Timestamp
        /// On the steady clock.
        var leaseEnds: Int64?
        var isCancelling = false
        var parked: Push?
    }

    struct State {
        var entries: [PushID: Entry] = [:]
        var counter: UInt64 = 0
        var claims = 0
        var extensions = 0
        var forecasts = 0
        var settlements: [Settlement] = []
        var stale = 0
        /// So many further calls of settle fail.
        var settleFailures = 0
        var claimFailures = 0
        var failure = TimelineError(.io, "told to fail")
    }

    let clock: any WallClock
    let state = Mutex(State())
    let onSchedule: @Sendable () -> Void

    init(clock: any WallClock, onSchedule: @escaping @Sendable () -> Void = {}) {
        self.clock = clock
        self.onSchedule = onSchedule
    }

    var pending: [PushID: Entry] { state.withLock { $0.entries } }
    var claimCalls: Int { state.withLock { $0.claims } }
    var settlements: [Settlement] { state.withLock { $0.settlements } }

    func schedule(_ batch: PushBatch) async throws(TimelineError) -> [ScheduleOutcome] {
        let now = clock.now()
        var pushes: [Push] = []
        var offset = 0
        while let record = PushRecord(batch.bytes.span, at: offset) {
            pushes.append(record.push(in: batch.bytes.span))
            offset += record.length
        }
        let outcomes = state.withLock { state in pushes.map { state.put($0, now) } }
        onSchedule()
        return outcomes
    }

    func cancel(_ ids: [PushID]) async throws(TimelineError) -> [CancelOutcome] {
        state.withLock { state in
            ids.map { id in
                guard let entry = state.entries[id] else { return .gone }
                if entry.leaseEnds == nil {
                    state.entries[id] = nil
                    return .cancelled
                }
                state.entries[id]?.isCancelling = true
                state.entries[id]?.parked = nil
                return entry.parked == nil ? .inFlight : .inFlightParked
            }
        }
    }

    func find(_ ids: [PushID]) async throws(TimelineError) -> [Pending?] {
        state.withLock { state in
            ids.map { id in
                state.entries[id].map {
                    Pending(
                        push: $0.push,
                        state: $0.leaseEnds == nil ? .scheduled : .inFlight,
                        sequence: $0.sequence,
                        attempt: $0.attempt,
                        asked: $0.asked,
                        accepted: $0.accepted
                    )
                }
            }
        }
    }

    func claim(limit: Int, lease: Duration, deferring deferral: Deferral?)
        async throws(TimelineError) -> ClaimBatch
    {
        let now = clock.now()
        let steady = clock.steadyMilliseconds()
        let (batch, failure) = state.withLock { state -> (ClaimBatch, TimelineError?) in
            state.claims += 1
            if state.claimFailures > 0 {
                state.claimFailures -= 1
                return (ClaimBatch(claims: [], now: now, nextDue: nil), state.failure)
            }
            return (state.claim(limit, now, steady, lease, deferral), nil)
        }
        if let failure { throw failure }
        return batch
    }

    func settle(_ settlements: [Settlement]) async throws(TimelineError) -> [SettleOutcome] {
        let now = clock.now()
        let (outcomes, failure) = state.withLock { state -> ([SettleOutcome], TimelineError?) in
            if state.settleFailures > 0 {
                state.settleFailures -= 1
                return ([], state.failure)
            }
            // A successor is for the same recipient.
            for settlement in settlements {
                let recipient = state.entries[settlement.token.id]?.push.recipient
                if settlement.successors.contains(where: { $0.recipient != recipient }) {
                    return ([], TimelineError(.invalid, "a successor for somebody else"))
                }
            }
            return (settlements.map { state.settle($0, now) }, nil)
        }
        if let failure { throw failure }
        if settlements.contains(where: { !$0.successors.isEmpty }) { onSchedule() }
        return outcomes
    }

    func extend(_ tokens: [ClaimToken], lease: Duration) async throws(TimelineError)
        -> [ExtendOutcome]
    {
        let leaseEnds = clock.steadyMilliseconds() + lease.milliseconds
        return state.withLock { state in
            state.extensions += tokens.count
            return tokens.map { token in
                guard let entry = state.entries[token.id], entry.generation == token.generation,
                    entry.leaseEnds != nil
                else { return .stale }
                state.entries[token.id]?.leaseEnds = leaseEnds
                return entry.isCancelling || entry.parked != nil ? .extendedSuperseded : .extended
            }
        }
    }

    func nextDue() async throws(TimelineError) -> Timestamp? {
        let (now, steady) = (clock.now(), clock.steadyMilliseconds())
        return state.withLock { $0.nextDue(now, steady) }
    }

    func forecast(from: Timestamp, to: Timestamp, bucket: Duration) async throws(TimelineError)
        -> [Int]
    {
        state.withLock { state in
            state.forecasts += 1
            let count = Int((to - from).milliseconds / bucket.milliseconds)
            var counts = [Int](repeating: 0, count: count)
            for entry in state.entries.values where from <= entry.push.due && entry.push.due < to {
                counts[Int((entry.push.due - from).milliseconds / bucket.milliseconds)] += 1
            }
            return counts
        }
    }

    func counts() async throws(TimelineError) -> TimelineCounts {
        state.withLock { TimelineCounts(scheduled: $0.entries.count) }
    }
}

extension ModelTimeline.State {
    mutating func put(_ push: Push, _ now: Timestamp) -> ScheduleOutcome {
        counter += 1
        if let entry = entries[push.id], entry.leaseEnds != nil {
            entries[push.id]?.parked = push
            return entry.parked == nil ? .parked : .parkedReplaced
        }
        let isNew = entries[push.id] == nil
        entries[push.id] = ModelTimeline.Entry(
            push: push,
            asked: push.due,
            generation: counter,
            sequence: counter,
            accepted: now
        )
        return isNew ? .accepted : .replaced
    }

    mutating func release(_ id: PushID, _ now: Timestamp) {
        guard let entry = entries[id] else { return }
        if let parked = entry.parked {
            entries[id] = nil
            _ = put(parked, now)
        } else if entry.isCancelling {
            entries[id] = nil
        } else {
            counter += 1
            entries[id]?.generation = counter
            entries[id]?.leaseEnds = nil
        }
    }

    mutating func claim(
        _ limit: Int,
        _ now: Timestamp,
        _ steady: Int64,
        _ lease: Duration,
        _ deferral: Deferral?
    ) -> ClaimBatch {
        for (id, entry) in entries where entry.leaseEnds.map({ $0 <= steady }) ?? false {
            release(id, now)
        }
        let due = entries.values
            .filter { $0.leaseEnds == nil && ripe($0.push, deferral) <= now }
            .sorted {
                ($0.push.priority, $0.push.due, $0.sequence)
                    < ($1.push.priority, $1.push.due, $1.sequence)
            }
        let claims = due.prefix(limit).map { entry -> Claim in
            counter += 1
            entries[entry.push.id]?.generation = counter
            entries[entry.push.id]?.leaseEnds = steady + lease.milliseconds
            return Claim(
                token: ClaimToken(id: entry.push.id, generation: counter),
                push: entry.push,
                sequence: entry.sequence,
                attempt: entry.attempt,
                asked: entry.asked,
                accepted: entry.accepted,
                leaseEnds: now + lease
            )
        }
        return ClaimBatch(claims: claims, now: now, nextDue: nextDue(now, steady, deferral))
    }

    func nextDue(_ now: Timestamp, _ steady: Int64, _ deferral: Deferral? = nil) -> Timestamp? {
        entries.values.map { entry in
            entry.leaseEnds.map { now + .milliseconds($0 - steady) }
                ?? ripe(entry.push, deferral)
        }.min()
    }

    /// When a claim lends it.
    private func ripe(_ push: Push, _ deferral: Deferral?) -> Timestamp {
        push.due + .milliseconds(deferral?.delay(ofBand: Int(push.priority.rawValue)) ?? 0)
    }

    mutating func settle(_ settlement: Settlement, _ now: Timestamp) -> SettleOutcome {
        let id = settlement.token.id
        guard let entry = entries[id], entry.generation == settlement.token.generation,
            entry.leaseEnds != nil
        else {
            stale += 1
            return .stale
        }
        settlements.append(settlement)
        if entry.isCancelling {
            entries[id] = nil
            return .settledCancelled
        }
        var outcome = SettleOutcome.settled
        if entry.parked != nil {
            release(id, now)
            outcome = .settledParked
        } else {
            switch settlement.result {
            case .done, .dead: entries[id] = nil
            case .retry(let at):
                release(id, now)
                entries[id]?.push.due = at
                entries[id]?.attempt += 1
            case .hold(let until):
                release(id, now)
                entries[id]?.push.due = until
            }
        }
        for push in settlement.successors where outcome == .settled || push.id != id {
            _ = put(push, now)
        }
        return outcome
    }
}
