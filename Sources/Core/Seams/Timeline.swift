/// Stores pending pushes durably and decides everything: what is due, who holds it, what was cancelled or replaced.
///
/// Every engine keeps these promises, whatever its alarm does; `TimelineConformance` checks each of them.
///
/// - **T1 Durable.** When `schedule` returns, the push survives `kill -9` and power loss until it is settled, cancelled or replaced.
/// - **T2 Never early.** No claim before `due` by the timeline's clock.
/// - **T3 At least once.** A claim not settled before its lease ends becomes due again.
/// - **T4 One holder.** Every claim carries a fencing token; `settle` and `extend` with a stale token change nothing and say so.
/// - **T5 Cancel is honest.** Answers `cancelled` (will never be claimed), `inFlight` (a worker holds it; flagged, told at the next
///   extend or settle), `inFlightParked` (and a newer version that waited for that will never be claimed), or `gone`.
/// - **T6 Replace.** Scheduling an existing id replaces payload and due time atomically and bumps the generation; if it is in flight,
///   the newest version is parked and becomes pending when the claim is settled *or* its lease ends. Scheduling after a cancel is just scheduling.
///   Every version that ends without having been claimed is told: by the answer to the call that ended it.
///   While it is pending, an id belongs to one recipient; scheduling it for another replaces it too. Only then may an engine that is divided by
///   recipients treat what is in flight as cancelled instead of parking the newest version behind it; a call that fails may leave both versions, until it is
///   repeated; and while it is under way, `find` may show either.
/// - **T7 Order.** Among due pushes: priority band, then due time, then acceptance order, with ageing so that no band starves. The acceptance order is
///   that of one recipient's pushes; between recipients an engine that is divided by them need not keep it within a millisecond of due time.
/// - **T8 Merge.** Pushes with the same merge key and recipient collapse at `min(first + maxWait, last + grace)`, newest wins or collected
///   (bounded), as part of `schedule`: no scanning.
/// - **T9 Bounded memory.** Payloads of pushes due beyond the near window are not in memory (embedded).
/// - **T10 Clocks may lie.** A wall-clock jump of an hour either way neither loses, doubles nor sends early; a past due time is due now.
/// - **T11 Full is not fatal.** When disk or memory runs out, `schedule` refuses with a clear error, while claim, settle and cancel go on.
/// - **T12 Idle is free.** With nothing due, an engine sleeps until the next due time or the next call; no polling.
/// - **T13 Chain.** A settlement may carry successor pushes of the same recipient: all of it happens, or none.
package protocol Timeline: Sendable {
    /// Accepts pushes: new ones, newer versions of known ids, and ones that merge. Durable when it returns (T1).
    ///
    /// - Returns: one outcome for each push, in order.
    /// - Throws: ``TimelineError`` with `full`, `closed` or `io`. All pushes of one recipient were accepted then, or none; in an engine that is divided by
    ///   recipients, those of others may have been. Scheduling the batch again makes it whole: what was accepted is replaced by itself.
    func schedule(_ batch: PushBatch) async throws(TimelineError) -> [ScheduleOutcome]

    /// Cancels by id (T5). Durable when it returns.
    ///
    /// - Returns: one outcome for each id, in order.
    func cancel(_ ids: [PushID]) async throws(TimelineError) -> [CancelOutcome]

    /// Looks pushes up by id; `nil` where none is pending.
    func find(_ ids: [PushID]) async throws(TimelineError) -> [Pending?]

    /// Lends up to `limit` due pushes until `lease` has passed (T2, T4, T7).
    ///
    /// - Parameters:
    ///   - limit: 1 to ``PushLimits/batchPushes``.
    ///   - lease: above zero, at most ``PushLimits/lease``.
    ///   - deferral: bands that are left to wait; to this claim each of their pushes is due that much later, also in ``ClaimBatch/nextDue``, and so it is
    ///     to the alarm until the next claim. Other calls, and claims of others, see them as they are.
    func claim(limit: Int, lease: Duration, deferring deferral: Deferral?)
        async throws(TimelineError) -> ClaimBatch

    /// Ends claims (T4, T13). Durable when it returns.
    ///
    /// - Returns: one outcome for each settlement, in order.
    /// - Throws: ``TimelineError``; with `invalid` nothing was settled. Otherwise each settlement happened as a whole or not at all.
    func settle(_ settlements: [Settlement]) async throws(TimelineError) -> [SettleOutcome]

    /// Gives claims a new lease from now.
    ///
    /// - Returns: one outcome for each token, in order.
    func extend(_ tokens: [ClaimToken], lease: Duration) async throws(TimelineError)
        -> [ExtendOutcome]

    /// When the next push becomes due or the next lease ends; `nil` with nothing pending.
    func nextDue() async throws(TimelineError) -> Timestamp?

    /// How many pushes are due in each `bucket` of `from..<to`, for charts of the load ahead. At most 10,000 buckets.
    func forecast(from: Timestamp, to: Timestamp, bucket: Duration) async throws(TimelineError)
        -> [Int]

    func counts() async throws(TimelineError) -> TimelineCounts
}

extension Timeline {
    /// Lends whatever is due.
    package func claim(limit: Int, lease: Duration) async throws(TimelineError) -> ClaimBatch {
        try await claim(limit: limit, lease: lease, deferring: nil)
    }

    /// Packs and schedules; for callers that are not on a hot path.
    ///
    /// - Throws: ``TimelineError`` with `invalid` where a push breaks ``PushLimits``.
    @discardableResult
    package func schedule(_ pushes: [Push]) async throws(TimelineError) -> [ScheduleOutcome] {
        let batch: PushBatch
        do { batch = try PushBatch(pushes) } catch {
            throw TimelineError(.invalid, error.description)
        }
        return try await schedule(batch)
    }
}

/// What became of one push in `schedule`.
package enum ScheduleOutcome: UInt8, Sendable, Hashable {
    case accepted
    /// The id was pending; this is now its newest version.
    case replaced
    /// The id is in flight; this version waits until the claim ends.
    case parked
    /// It became one with a pending push of the same merge key and recipient.
    case merged
    /// Due more than ``PushLimits/horizon`` ahead, by the timeline's clock: not accepted.
    case refusedTooFar
    /// The id is in flight; this version waits until the claim ends, in the place of one that waited for that and has ended with this.
    case parkedReplaced

    /// A version that waited has ended, because this one has taken its place.
    package var hasReplaced: Bool { self == .replaced || self == .parkedReplaced }
}

package enum CancelOutcome: UInt8, Sendable, Hashable {
    /// It was pending and will never be claimed.
    case cancelled
    /// A worker holds it; told at the next extend or settle, and not retried.
    case inFlight
    /// No such push is pending: never scheduled, already settled, or cancelled before.
    case gone
    /// A worker holds an older version, of which the same is true as with ``inFlight``; the newest, which waited for that, will never be claimed.
    case inFlightParked

    /// A worker holds it, or an older version of it.
    package var isInFlight: Bool { self == .inFlight || self == .inFlightParked }
    /// A version that waited has ended.
    package var hasEndedWaiting: Bool { self == .cancelled || self == .inFlightParked }

    /// What is said of an id that was ended in two places, where one may hold an older version of it.
    package func and(_ other: CancelOutcome) -> CancelOutcome {
        guard isInFlight || other.isInFlight else { return self == .gone ? other : self }
        return hasEndedWaiting || other.hasEndedWaiting ? .inFlightParked : .inFlight
    }
}
