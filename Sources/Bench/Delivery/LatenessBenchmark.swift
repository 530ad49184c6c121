import BelfryCore
import Histogram

extension Benchmark {
    /// 20,000 due a second, for five seconds.
    static let lateness = Benchmark(
        "lateness.20k.p99",
        "Lateness with 20,000 pushes due a second, against a bare loop that only sleeps"
    ) { setting in
        let count = setting.count(100_000, least: 20_000)
        let bare = try await bareLateness(for: .seconds(2))
        let load = DeliveryLoad(
            folder: setting.folder,
            count: count,
            head: .seconds(3 + Int64(count / 50_000)),
            spread: .milliseconds(Int64(count) / 20)
        )
        let (channel, _) = try await load.run()
        return [
            Measurement(
                "lateness.20k.p99",
                channel.lateness(percentile: 99),
                "ms",
                reference: Double(bare.valueAtPercentile(99)) / 1000
            ),
            Measurement(
                "lateness.20k.p99.median",
                channel.lateness(percentile: 50),
                "ms",
                reference: Double(bare.valueAtPercentile(50)) / 1000
            ),
            Measurement(
                "lateness.20k.p99.max",
                channel.greatest,
                "ms",
                reference: Double(bare.max) / 1000
            ),
        ]
    }

    /// 200,000 due within one second.
    static let burst = Benchmark(
        "delivery.burst",
        "Pushes a second while 200,000 that are due within one second are delivered and settled"
    ) { setting in
        let count = setting.count(200_000, least: 1_000)
        let load = DeliveryLoad(
            folder: setting.folder,
            count: count,
            head: .seconds(3 + Int64(count / 50_000)),
            spread: .seconds(1)
        )
        let (channel, start) = try await load.run()
        let took = Double(channel.span.last - start.milliseconds * 1000) / 1_000_000
        return [
            // As many a second as fell due is all that can be asked for.
            Measurement(
                "delivery.burst",
                Double(count) / took,
                "pushes/s",
                reference: Double(count)
            ),
            Measurement("delivery.burst.p99", channel.lateness(percentile: 99), "ms"),
        ]
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
