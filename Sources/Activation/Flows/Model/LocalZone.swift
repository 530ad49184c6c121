package import BelfryCore
import Foundation

/// A time zone by its IANA name, and local wall-clock arithmetic in it that is right across daylight-saving changes.
package struct LocalZone: Sendable, Hashable {
    private let zone: TimeZone

    /// - Returns: `nil` where no zone of that name is known.
    package init?(_ name: String) {
        // Foundation also takes abbreviations such as `CST`, which name several zones.
        guard name.utf8.count <= 64, name.contains("/") || name == "UTC" || name == "GMT",
            let zone = TimeZone(identifier: name)
        else { return nil }
        self.zone = zone
        self.name = name
    }

    package let name: String

    package static let shanghai = LocalZone(name: "Asia/Shanghai", offset: 8 * 3600)
    package static let utc = LocalZone(name: "UTC", offset: 0)

    /// A zone that is always there: without a zone database, a fixed offset stands in.
    private init(name: String, offset: Int) {
        self.name = name
        zone = TimeZone(identifier: name) ?? TimeZone(secondsFromGMT: offset) ?? .gmt
    }

    /// Seconds that local time is ahead of UTC at `time`.
    private func offset(at time: Timestamp) -> Int64 {
        let seconds = Double(time.milliseconds) / 1000
        return Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: seconds)))
    }

    /// What a clock on the wall shows.
    package func local(_ time: Timestamp) -> LocalMoment {
        let shifted = time + Duration.seconds(offset(at: time))
        let day = shifted.milliseconds.floorDivided(by: LocalMoment.dayLength)
        return LocalMoment(
            day: day,
            milliseconds: shifted.milliseconds - day * LocalMoment.dayLength
        )
    }

    /// The moment at which the wall shows `local`. Of two such moments (clocks set back) the first; where there is none (clocks set
    /// forward) the moment that the old offset would give, so that 02:30 in a gap of an hour becomes 03:30.
    package func time(_ local: LocalMoment) -> Timestamp {
        let naive = Timestamp(
            milliseconds: local.day * LocalMoment.dayLength + local.milliseconds
        )
        let before = offset(at: naive - Duration.days(1))
        let after = offset(at: naive + Duration.days(1))
        let first = naive - Duration.seconds(before)
        if offset(at: first) == before { return first }
        let second = naive - Duration.seconds(after)
        if offset(at: second) == after { return second }
        return first
    }
}

/// A wall-clock reading: days since 1970-01-01 and milliseconds since midnight, both local.
package struct LocalMoment: Sendable, Hashable {
    package static let dayLength: Int64 = 86_400_000

    package var day: Int64
    package var milliseconds: Int64

    package init(day: Int64, milliseconds: Int64) {
        self.day = day
        self.milliseconds = milliseconds
    }

    package var time: LocalTime { LocalTime(minutes: Int(milliseconds / 60_000)) }
}

/// A time of day, such as 09:30.
package struct LocalTime: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Minutes since midnight, 0 to 1440; 1440 is the end of the day.
    package var minutes: Int

    package init(minutes: Int) { self.minutes = minutes }

    /// Reads `HH:MM`, 00:00 to 24:00.
    package init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, (1...2).contains(parts[0].count), parts[1].count == 2,
            parts.allSatisfy({ $0.allSatisfy { $0.isASCII && $0.isNumber } }),
            let hour = Int(parts[0]), let minute = Int(parts[1]), minute < 60,
            hour < 24 || (hour == 24 && minute == 0)
        else { return nil }
        minutes = hour * 60 + minute
    }

    package static func < (a: LocalTime, b: LocalTime) -> Bool { a.minutes < b.minutes }

    package var description: String {
        "\(minutes / 60 < 10 ? "0" : "")\(minutes / 60):\(minutes % 60 < 10 ? "0" : "")\(minutes % 60)"
    }
}

extension Int64 {
    fileprivate func floorDivided(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}
