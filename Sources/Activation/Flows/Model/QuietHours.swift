package import BelfryCore

/// The part of each local day in which nobody is to be disturbed, such as 22:00 to 08:00.
package struct QuietHours: Sendable, Hashable {
    package var from: LocalTime
    package var to: LocalTime

    /// - Returns: `nil` where both are the same time: that would be always or never.
    package init?(from: LocalTime, to: LocalTime) {
        guard from.minutes % 1440 != to.minutes % 1440 else { return nil }
        self.from = from
        self.to = to
    }

    /// How long they last on an ordinary day.
    package var length: Duration {
        .minutes(Int64((to.minutes - from.minutes + 2880) % 1440))
    }

    /// The quiet period that holds `time`, `nil` outside of quiet hours. The end itself is outside.
    package func period(at time: Timestamp, in zone: LocalZone) -> Range<Timestamp>? {
        let day = zone.local(time).day
        // A period that spans midnight began the day before.
        for start in [day, day - 1] {
            let begin = zone.time(LocalMoment(day: start, milliseconds: from.milliseconds))
            let overnight: Int64 = to.minutes <= from.minutes ? 1 : 0
            let end = zone.time(
                LocalMoment(day: start + overnight, milliseconds: to.milliseconds)
            )
            if begin <= time, time < end { return begin..<end }
        }
        return nil
    }
}

extension LocalTime {
    package var milliseconds: Int64 { Int64(minutes) * 60_000 }
}
