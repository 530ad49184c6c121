import BelfryCore
import Logging
import Synchronization

extension Dispatcher {
    /// How often is looked at how busy everything is, while there is much to do.
    private static var watch: Duration { .milliseconds(250) }
    /// How often the timeline is asked for what is ahead meanwhile.
    private static var forecast: Duration { .seconds(5) }
    /// The same while it is to be seen whether a shortage lasts.
    private static var forecastInDoubt: Duration { .milliseconds(500) }

    /// Begins and ends to defer low bands. Sleeps in quiet times.
    func keepWatching() async {
        var asked: Int64 = .min
        do {
            while true {
                while !desk.withLock({ $0.isWatched(clock.now()) }) {
                    desk.withLock { $0.scarcity.rest() }
                    try await watchBell.wait()
                }
                let steady = clock.steadyMilliseconds()
                var ahead: (count: Int, within: Duration)?
                let isInDoubt = desk.withLock { $0.scarcity.isInDoubt }
                let every = isInDoubt ? Self.forecastInDoubt : Self.forecast
                if asked == .min || steady - asked >= every.milliseconds {
                    ahead = await whatIsAhead()
                    asked = steady
                }
                watched(steady, ahead)
                try await clock.sleep(for: Self.watch)
            }
        } catch {
            // Cancelled: the run ends.
        }
    }

    private func watched(_ steady: Int64, _ ahead: (count: Int, within: Duration)?) {
        let now = clock.now()
        let (change, overload) = desk.withLock { desk in
            let reading = desk.reading(now: now, steady: steady, ahead: ahead)
            let change = desk.scarcity.take(reading, desk.settings.overload)
            return (change, desk.scarcity.overload)
        }
        switch (change, overload) {
        case (.began, let overload?):
            logger.warning(
                "capacity is short: low bands are deferred",
                metadata: ["from": "\(overload.from.name)", "reason": "\(overload.reason)"]
            )
        case (.deferredMore, let overload?):
            logger.warning(
                "capacity is still short: another band is deferred",
                metadata: ["from": "\(overload.from.name)"]
            )
        case (.ended, _): logger.notice("capacity suffices again: nothing is deferred")
        default: return
        }
        meters.overload(change)
        // Other pushes may be claimed now, and other ones may go.
        lookBell.ring()
        startBell.ring()
    }

    /// How many pushes are to go out until the end of the next minute: engines count whole minutes without a scan. `nil` while it is not known how many can.
    private func whatIsAhead() async -> (count: Int, within: Duration)? {
        guard desk.withLock({ $0.scarcity.capacity }) != nil else { return nil }
        let minute = Duration.minutes(1).milliseconds
        let now = clock.now()
        let end = Timestamp(milliseconds: (now.milliseconds / minute + 2) * minute)
        do throws(TimelineError) {
            let counts = try await timeline.forecast(
                from: Timestamp(milliseconds: 0),
                to: end,
                bucket: .milliseconds(end.milliseconds)
            )
            return (counts.reduce(0, +), end - now)
        } catch {
            // What waits and what is late tell enough; a timeline that fails is told by the claims.
            return nil
        }
    }
}
