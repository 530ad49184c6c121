package import BelfryCore
import Synchronization

/// Wraps an alarm and lies: it loses hints, gives them twice, late, early and for no reason, as its seed decides.
///
/// Whoever waits on it needs a sweep: a hint that is lost never comes.
package final class LyingAlarm: Alarm {
    private enum Lie: CaseIterable {
        /// Says what is true.
        case honest
        /// Never says it.
        case lost
        /// Says it, and says it again at once when asked the next time.
        case doubled
        /// Says it some time afterwards.
        case delayed
        /// Says it at some time of its own, whatever is due.
        case invented
    }

    private let truth: any Alarm
    private let clock: any WallClock
    private let longest: Duration
    private let state: Mutex<(random: SplitMix64, repeats: Bool)>

    /// - Parameter longest: by how much a hint is delayed at most, and how long it takes to invent one.
    package init(
        _ truth: any Alarm,
        clock: any WallClock,
        seed: UInt64,
        longest: Duration = .minutes(2)
    ) {
        self.truth = truth
        self.clock = clock
        self.longest = longest
        state = Mutex((SplitMix64(seed: seed), false))
    }

    package func wait(nextDue: Timestamp?) async throws(CancellationError) {
        let (lie, span, repeats) = state.withLock { state in
            let lie = Lie.allCases.randomElement(using: &state.random) ?? .honest
            let span = Int64.random(in: 0...longest.milliseconds, using: &state.random)
            defer { state.repeats = lie == .doubled && !state.repeats }
            return (lie, Duration.milliseconds(span), state.repeats)
        }
        if repeats { return }
        switch lie {
        case .honest, .doubled: try await truth.wait(nextDue: nextDue)
        case .lost: try await clock.sleep(until: .distantFuture)
        case .delayed:
            try await truth.wait(nextDue: nextDue)
            try await clock.sleep(for: span)
        case .invented: try await clock.sleep(for: span)
        }
    }
}
