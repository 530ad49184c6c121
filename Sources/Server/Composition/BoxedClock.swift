package import BelfryCore

/// A clock chosen at start, for types that are generic over theirs.
package struct BoxedClock: WallClock {
    package let base: any WallClock

    package init(_ base: any WallClock) { self.base = base }

    package func now() -> Timestamp { base.now() }

    package func sleep(until deadline: Timestamp) async throws(CancellationError) {
        try await base.sleep(until: deadline)
    }

    package func steadyMilliseconds() -> Int64 { base.steadyMilliseconds() }

    package func sleep(for duration: Duration) async throws(CancellationError) {
        try await base.sleep(for: duration)
    }
}
