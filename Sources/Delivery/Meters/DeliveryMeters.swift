import BelfryCore
import Histogram
import Synchronization

/// Counts what delivery does: one lock a batch, never one a push.
package final class DeliveryMeters: Sendable {
    fileprivate struct State {
        var outcomes: [Outcome: Int] = [:]
        var waits: [WaitingState: Int] = [:]
        var handedOver = 0
        var claimed = 0
        var looks = 0
        var lost = 0
        var overloads = 0
        var deferred = 0
        var timelineFailures = 0
        var recordFailures = 0
        var sent = SlidingMinute()
        var failed = SlidingMinute()
        var lateness = LatenessMeter()
        var held = LatenessMeter()
        var accounts: [String: AccountTally] = [:]
    }

    private let since: Timestamp
    private let state = Mutex(State())

    init(since: Timestamp) { self.since = since }

    func looked(claimed: Int) {
        state.withLock {
            $0.looks += 1
            $0.claimed += claimed
        }
    }

    func handedOver(_ count: Int) { state.withLock { $0.handedOver += count } }

    func overload(_ change: Scarcity.Change?) {
        if change == .began { state.withLock { $0.overloads += 1 } }
    }

    func lost(_ count: Int) { state.withLock { $0.lost += count } }
    func timelineFailed() { state.withLock { $0.timelineFailures += 1 } }
    func recordingFailed() { state.withLock { $0.recordFailures += 1 } }

    func settled(_ closings: [Closing], _ outcomes: [SettleOutcome], at now: Timestamp) {
        state.withLock { state in
            for (closing, outcome) in zip(closings, outcomes) {
                if outcome == .stale { state.lost += 1 }
                if let event = closing.settled(outcome) {
                    state.count(event, at: now)
                } else if closing.recordsFirst, outcome != .stale {
                    state.count(closing.event, at: now)
                }
            }
        }
    }

    package func tally(of account: String) -> AccountTally {
        state.withLock { $0.accounts[account] ?? AccountTally() }
    }

    func snapshot(_ present: DeliveryPresent, now: Timestamp) -> DeliverySnapshot {
        state.withLock { state in
            DeliverySnapshot(
                since: since,
                now: now,
                outcomes: state.outcomes,
                waits: state.waits,
                handedOver: state.handedOver,
                claimed: state.claimed,
                looks: state.looks,
                lost: state.lost,
                timelineFailures: state.timelineFailures,
                recordFailures: state.recordFailures,
                inFlight: present.inFlight,
                waiting: present.waiting,
                sending: present.sending,
                putBack: present.putBack,
                unrecorded: present.unrecorded,
                isPaused: present.isPaused,
                sentLastMinute: state.sent.total(now),
                failedLastMinute: state.failed.total(now),
                oldestOverdue: present.oldestAsked.flatMap { $0 < now ? now - $0 : nil },
                oldestHeld: present.oldestHeld.mapValues { now - $0 },
                lateness: state.lateness.all.summary,
                recentLateness: state.lateness.recent(now),
                recentHeld: state.held.recent(now),
                accounts: state.accounts,
                overload: present.overload,
                circuits: present.circuits,
                overloads: state.overloads,
                deferred: state.deferred,
                capacity: present.capacity
            )
        }
    }
}

extension DeliveryMeters.State {
    fileprivate mutating func count(_ event: DeliveryEvent, at now: Timestamp) {
        let account = event.claim.push.recipient.account
        switch event.change {
        case .waits(.retrying, _):
            waits[.retrying, default: 0] += 1
            failed.add(1, now)
            accounts[account, default: AccountTally()].retried += 1
        case .waits(let state, _):
            waits[state, default: 0] += 1
            accounts[account, default: AccountTally()].held += 1
        case .ended(let outcome):
            outcomes[outcome, default: 0] += 1
            switch outcome {
            case .sent:
                sent.add(1, now)
                accounts[account, default: AccountTally()].sent += 1
                wentOut(event, at: now)
            case .dead, .unknown, .window45015, .count45047, .refused43101:
                failed.add(1, now)
                accounts[account, default: AccountTally()].failed += 1
            case .merged, .replaced, .cancelled, .unsubscribed, .skippedCondition, .skippedCap,
                .noGrant, .quotaDay, .expired:
                break
            }
        }
    }
}

extension DeliveryMeters.State {
    /// A try that failed is no lateness yet: the last one, which was not in vain, tells how late a message was.
    private mutating func wentOut(_ event: DeliveryEvent, at now: Timestamp) {
        guard let late = event.lateness else { return }
        lateness.record(late.milliseconds, at: now)
        held.record(event.claim.held.milliseconds, at: now)
        if event.cause?.code == DeliveryCauses.overloadCode { deferred += 1 }
    }
}

/// How many events fell into the last sixty whole seconds.
struct SlidingMinute {
    private var seconds = [Int64](repeating: .min, count: 60)
    private var counts = [Int](repeating: 0, count: 60)

    mutating func add(_ count: Int, _ now: Timestamp) {
        let second = now.milliseconds / 1000
        let slot = Int(((second % 60) + 60) % 60)
        if seconds[slot] != second {
            seconds[slot] = second
            counts[slot] = 0
        }
        counts[slot] += count
    }

    func total(_ now: Timestamp) -> Int {
        let second = now.milliseconds / 1000
        return zip(seconds, counts).reduce(0) { total, slot in
            slot.0 > second - 60 && slot.0 <= second ? total + slot.1 : total
        }
    }
}

/// Lateness since the start, and of the last five to ten minutes.
struct LatenessMeter {
    typealias Counts = Histogram<UInt32>

    /// A week; what is later counts as a week.
    private static let longest: UInt64 = 7 * 86_400_000
    private static let span: Int64 = 300_000
    private static func empty() -> Counts {
        Counts(highestTrackableValue: longest, numberOfSignificantValueDigits: .two)
    }

    private(set) var all = Self.empty()
    private var current = Self.empty()
    private var previous = Self.empty()
    private var began: Int64 = .min

    mutating func record(_ milliseconds: Int64, at now: Timestamp) {
        turn(now)
        let value = min(UInt64(max(0, milliseconds)), Self.longest)
        all.record(value)
        current.record(value)
    }

    mutating func recent(_ now: Timestamp) -> LatenessSummary {
        turn(now)
        var both = previous
        both.add(current)
        return both.summary
    }

    private mutating func turn(_ now: Timestamp) {
        let period = now.milliseconds / Self.span
        guard period != began else { return }
        previous = period == began &+ 1 ? current : Self.empty()
        current = Self.empty()
        began = period
    }
}

extension Histogram where Count == UInt32 {
    var summary: LatenessSummary {
        guard totalCount > 0 else { return LatenessSummary() }
        return LatenessSummary(
            count: Int(totalCount),
            mean: mean,
            p50: Int(valueAtPercentile(50)),
            p95: Int(valueAtPercentile(95)),
            p99: Int(valueAtPercentile(99)),
            max: Int(max)
        )
    }
}
