import BelfryCore
import Histogram

extension Benchmark {
    /// So many due a second, for ten seconds.
    static let lateness = [5, 20, 50].map { lateness(thousands: $0) }

    private static func lateness(thousands: Int) -> Benchmark {
        let name = "lateness.\(thousands)k"
        return Benchmark(
            name,
            "Lateness with \(thousands),000 pushes due a second, against a bare loop that only sleeps"
        ) { setting in
            let rate = thousands * 1000
            let count = setting.count(rate * 10, least: rate)
            let bare = try await bareLateness(for: .seconds(2))
            let load = DeliveryLoad(
                count: count,
                spread: .milliseconds(Int64(count / thousands))
            )
            let log = try await load.run(in: setting.folder, lanes: setting.lanes).log
            let percentiles = [("p50", 50.0), ("p99", 99.0), ("p999", 99.9)].map { part, percent in
                Measurement(
                    "\(name).\(part)",
                    log.lateness(percentile: percent),
                    "ms",
                    reference: Double(bare.valueAtPercentile(percent)) / 1000
                )
            }
            let most = Measurement(
                "\(name).max",
                log.greatest,
                "ms",
                reference: Double(bare.max) / 1000
            )
            return percentiles + [most]
        }
    }
}

/// How late a loop is that sleeps until each millisecond and does nothing: what this machine's timers allow. Microseconds.
private func bareLateness(for span: Duration) async throws -> Histogram<UInt32> {
    let clock = SystemClock()
    var lateness = Histogram<UInt32>(
        highestTrackableValue: 60_000_000,
        numberOfSignificantValueDigits: .three
    )
    var next = clock.now() + .milliseconds(2)
    let end = next + span
    while next < end {
        try await clock.sleep(until: next)
        let now = microsecondsNow()
        // Every millisecond that has passed meanwhile was waited for in vain by what was due in it.
        while next.milliseconds * 1000 <= now, next < end {
            lateness.record(UInt64(now - next.milliseconds * 1000))
            next = next + .milliseconds(1)
        }
    }
    return lateness
}
