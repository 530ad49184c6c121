import BelfryCore

/// What the clocks said when a call came in.
struct Moment: Sendable {
    /// Wall clock, milliseconds since 1970: due times.
    var now: Int64
    /// Monotonic, milliseconds: leases, which a wall clock that jumps must neither end nor prolong.
    var steady: Int64

    init(now: Int64, steady: Int64) {
        self.now = now
        self.steady = steady
    }

    init(_ clock: any WallClock) {
        now = clock.now().milliseconds
        steady = clock.steadyMilliseconds()
    }
}
