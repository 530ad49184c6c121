import BelfryCore
import BelfryMoving
import Synchronization

/// Where a move is broken off, as by a crash.
enum BreakPoint: CaseIterable {
    case afterTaking
    case beforeWithdrawing
    case afterWithdrawing
    case beforePlacing
    case afterPlacing
    case beforeStriking
}

/// Breaks once, at the chosen point.
final class Breaker: Sendable {
    private let point: Mutex<BreakPoint?>

    init(_ point: BreakPoint) { self.point = Mutex(point) }

    func pass(_ here: BreakPoint) throws(TimelineError) {
        let isHere = point.withLock { point in
            guard point == here else { return false }
            point = nil
            return true
        }
        if isHere { throw TimelineError(.io, "broken off") }
    }
}

/// A timeline at which a move breaks off.
struct BreakingTimeline: MovableTimeline {
    let base: any MovableTimeline
    let breaker: Breaker
    /// What happens before it is counted.
    var beforeCounts: @Sendable () async -> Void = {}

    func withdraw(_ pushes: [Pending]) async throws(TimelineError) -> [Bool] {
        try breaker.pass(.beforeWithdrawing)
        let isOut = try await base.withdraw(pushes)
        try breaker.pass(.afterWithdrawing)
        return isOut
    }

    func place(_ pushes: [Pending]) async throws(TimelineError) -> [Bool] {
        try breaker.pass(.beforePlacing)
        let isIn = try await base.place(pushes)
        try breaker.pass(.afterPlacing)
        return isIn
    }

    func page(after mark: PageMark?, limit: Int) async throws(TimelineError) -> PendingPage {
        try await base.page(after: mark, limit: limit)
    }

    func retire() async throws(TimelineError) -> Bool { try await base.retire() }

    func awaitsJoining(_ pushes: [Push]) async throws(TimelineError) -> [Bool] {
        try await base.awaitsJoining(pushes)
    }

    func schedule(_ batch: PushBatch) async throws(TimelineError) -> [ScheduleOutcome] {
        try await base.schedule(batch)
    }

    func cancel(_ ids: [PushID]) async throws(TimelineError) -> [CancelOutcome] {
        try await base.cancel(ids)
    }

    func find(_ ids: [PushID]) async throws(TimelineError) -> [Pending?] {
        try await base.find(ids)
    }

    func claim(limit: Int, lease: Duration, deferring deferral: Deferral?)
        async throws(TimelineError) -> ClaimBatch
    {
        try await base.claim(limit: limit, lease: lease, deferring: deferral)
    }

    func settle(_ settlements: [Settlement]) async throws(TimelineError) -> [SettleOutcome] {
        try await base.settle(settlements)
    }

    func extend(_ tokens: [ClaimToken], lease: Duration) async throws(TimelineError)
        -> [ExtendOutcome]
    {
        try await base.extend(tokens, lease: lease)
    }

    func nextDue() async throws(TimelineError) -> Timestamp? { try await base.nextDue() }

    func forecast(from: Timestamp, to: Timestamp, bucket: Duration) async throws(TimelineError)
        -> [Int]
    {
        try await base.forecast(from: from, to: to, bucket: bucket)
    }

    func counts() async throws(TimelineError) -> TimelineCounts {
        await beforeCounts()
        return try await base.counts()
    }
}

/// A hand at which a move breaks off.
struct BreakingHand: MoveHand {
    let base: any MoveHand
    let breaker: Breaker

    var isShared: Bool { base.isShared }

    func take(_ pushes: [Pending]) async throws(TimelineError) {
        try await base.take(pushes)
        try breaker.pass(.afterTaking)
    }

    func pushes() async throws(TimelineError) -> [Pending] { try await base.pushes() }

    func strike(_ ids: [PushID]) async throws(TimelineError) {
        try breaker.pass(.beforeStriking)
        try await base.strike(ids)
    }

    func holds(_ ids: [PushID], mergingWith pushes: [Push]) async throws(TimelineError) -> Bool {
        try await base.holds(ids, mergingWith: pushes)
    }
}
