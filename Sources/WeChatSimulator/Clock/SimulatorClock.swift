#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The time as the simulator sees it: real, standing still until a test moves it, or jumping from one deadline to the next.
///
/// Windows, tokens, media and the spacing of repeated callbacks follow this clock. The wire does not: the 5-second
/// cut-off and the faults that hold a connection run on real time, because sockets do.
package struct SimulatorClock: Sendable {
    /// Wall-clock milliseconds since 1970, UTC.
    package var now: @Sendable () -> Int64
    /// Returns when ``now`` has reached the given milliseconds since 1970; throws when the task is cancelled.
    package var sleepUntil: @Sendable (Int64) async throws -> Void
    /// Moves the clock by so many milliseconds; nil when it cannot be moved.
    package var jump: (@Sendable (Int64) -> Void)?

    package init(
        now: @escaping @Sendable () -> Int64,
        sleepUntil: @escaping @Sendable (Int64) async throws -> Void,
        jump: (@Sendable (Int64) -> Void)? = nil
    ) {
        self.now = now
        self.sleepUntil = sleepUntil
        self.jump = jump
    }

    /// The machine's clock.
    package static let system = SimulatorClock(
        now: systemMilliseconds,
        sleepUntil: { deadline in
            while true {
                let rest = deadline - systemMilliseconds()
                if rest <= 0 { return }
                // Short steps: the wall clock may be set while we wait.
                try await Task.sleep(for: .milliseconds(min(rest, 1000)))
            }
        }
    )

    @Sendable private static func systemMilliseconds() -> Int64 {
        Int64((Date().timeIntervalSince1970 * 1000).rounded(.down))
    }
}
