#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The machine's clock.
package struct SystemClock: WallClock {
    package init() {}

    package func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    package func steadyMilliseconds() -> Int64 {
        var time = timespec()
        #if os(Linux)
        // Goes on while the machine sleeps, as other machines' clocks do.
        clock_gettime(CLOCK_BOOTTIME, &time)
        #else
        clock_gettime(CLOCK_MONOTONIC, &time)
        #endif
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    package func sleep(until deadline: Timestamp) async throws(CancellationError) {
        // A wall clock that is set forward during the wait is noticed within five minutes; whoever delivers looks sooner by itself.
        while true {
            let rest = deadline - now()
            if Task.isCancelled { throw CancellationError() }
            guard rest > .zero else { return }
            do {
                try await Task.sleep(
                    for: min(rest, Duration.minutes(5)),
                    tolerance: Duration.zero,
                    clock: ContinuousClock()
                )
            } catch {
                throw CancellationError()
            }
        }
    }

    package func sleep(for duration: Duration) async throws(CancellationError) {
        do {
            try await Task.sleep(for: duration, tolerance: Duration.zero, clock: ContinuousClock())
        } catch {
            throw CancellationError()
        }
    }
}
