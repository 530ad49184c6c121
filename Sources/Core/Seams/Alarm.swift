/// Says when to look at a timeline, and decides nothing.
///
/// An alarm may be late, early, repeat itself or lose everything: no push is lost, sent early, sent after a cancel or sent twice
/// because of it. Who waits on one bounds the damage with a jittered sweep.
package protocol Alarm: Sendable {
    /// Returns when a look is worth while: something earlier than `nextDue` was scheduled, `nextDue` has come, or for no reason.
    ///
    /// - Parameter nextDue: what the last claim said; `nil` with nothing pending.
    /// - Throws: `CancellationError` when the waiting task is cancelled.
    func wait(nextDue: Timestamp?) async throws(CancellationError)
}
