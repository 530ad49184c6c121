package import BelfryCore

/// A day of the Gregorian calendar, and how moments are written for people: `2026-11-20 02:30:00`.
package struct LocalDate: Sendable, Hashable {
    package var year: Int
    package var month: Int
    package var day: Int

    /// - Returns: `nil` for a day that does not exist, such as 30 February.
    package init?(year: Int, month: Int, day: Int) {
        guard (1970...9999).contains(year), (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        self.year = year
        self.month = month
        self.day = day
        guard LocalDate(daysSince1970: daysSince1970) == self else { return nil }
    }

    /// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": `civil_from_days`.
    package init(daysSince1970 days: Int64) {
        let z = days + 719_468
        let era = (z >= 0 ? z : z - 146_096) / 146_097
        let dayOfEra = z - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = Int(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
        month = Int(shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9)
        year = Int(yearOfEra + era * 400) + (month <= 2 ? 1 : 0)
    }

    /// `days_from_civil` of the same source.
    package var daysSince1970: Int64 {
        let y = Int64(month <= 2 ? year - 1 : year)
        let era = (y >= 0 ? y : y - 399) / 400
        let yearOfEra = y - era * 400
        let shiftedMonth = Int64(month > 2 ? month - 3 : month + 9)
        let dayOfYear = (153 * shiftedMonth + 2) / 5 + Int64(day) - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}

extension LocalZone {
    /// The wall's reading at `time`: `2026-11-20 02:30:00`, with milliseconds where there are any.
    package func text(_ time: Timestamp) -> String {
        let local = local(time)
        let date = LocalDate(daysSince1970: local.day)
        let seconds = local.milliseconds / 1000
        let rest = local.milliseconds % 1000
        return "\(date.year.padded(4))-\(date.month.padded(2))-\(date.day.padded(2)) "
            + "\(Int(seconds / 3600).padded(2)):\(Int(seconds / 60 % 60).padded(2)):\(Int(seconds % 60).padded(2))"
            + (rest == 0 ? "" : ".\(Int(rest).padded(3))")
    }

    /// Reads `2026-11-20T02:30`, with seconds and a zone (`Z`, `+08:00`) if they are given; a blank may stand for the `T`.
    package func parse(_ text: String) -> Timestamp? {
        guard text.utf8.count <= 32, text.utf8.count >= 16 else { return nil }
        var rest = text[...]
        let date = rest.prefix(10).split(separator: "-", omittingEmptySubsequences: false)
            .map(String.init).compactMap(Int.init)
        rest = rest.dropFirst(10)
        guard date.count == 3, let first = rest.first, first == "T" || first == " ",
            let day = LocalDate(year: date[0], month: date[1], day: date[2])
        else { return nil }
        rest = rest.dropFirst()
        let clock = rest.prefix { $0.isNumber || $0 == ":" }
        rest = rest.dropFirst(clock.count)
        let parts = clock.split(separator: ":", omittingEmptySubsequences: false)
        guard (2...3).contains(parts.count), parts.allSatisfy({ $0.count == 2 }),
            let time = LocalTime(parts[0] + ":" + parts[1]), time.minutes < 1440,
            let seconds = Int64(parts.count == 3 ? parts[2] : "00"), seconds < 60
        else { return nil }
        let moment = LocalMoment(
            day: day.daysSince1970,
            milliseconds: time.milliseconds + seconds * 1000
        )
        if rest.isEmpty { return self.time(moment) }
        guard let offset = Self.offset(String(rest)) else { return nil }
        return LocalZone.utc.time(moment) - offset
    }

    private static func offset(_ text: String) -> Duration? {
        if text == "Z" { return .zero }
        guard let sign = text.first, sign == "+" || sign == "-",
            let time = LocalTime(String(text.dropFirst())), time.minutes <= 18 * 60
        else { return nil }
        return .minutes(Int64(sign == "+" ? time.minutes : -time.minutes))
    }
}

extension LocalTime {
    fileprivate init?(_ text: Substring) { self.init(String(text)) }
}

extension Int {
    func padded(_ width: Int) -> String {
        let digits = String(self)
        return String(repeating: "0", count: Swift.max(0, width - digits.count)) + digits
    }
}
