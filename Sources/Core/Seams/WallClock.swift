/// The time, and waiting for it. Every component takes its clock from outside, so that tests and simulations run on virtual time.
package protocol WallClock: Sendable {
    /// Wall-clock milliseconds since 1970. May jump either way.
    func now() -> Timestamp

    /// Milliseconds that never jump and never go back, from an arbitrary start: for leases, which a wall clock that is set forward must
    /// not end, nor one that is set back prolong (promise T10).
    func steadyMilliseconds() -> Int64

    /// Returns at or after `deadline` by this clock. Waits on monotonic time and looks again when the two drift apart.
    ///
    /// - Throws: `CancellationError` when the task is cancelled.
    func sleep(until deadline: Timestamp) async throws(CancellationError)

    /// Returns after so much time has passed, however the wall clock is set meanwhile.
    ///
    /// - Throws: `CancellationError` when the task is cancelled.
    func sleep(for duration: Duration) async throws(CancellationError)
}

extension WallClock {
    /// For clocks that do not jump: the wall clock itself.
    package func steadyMilliseconds() -> Int64 { now().milliseconds }

    /// For clocks that nobody sets but their owner.
    package func sleep(for duration: Duration) async throws(CancellationError) {
        try await sleep(until: now() + duration)
    }
}
