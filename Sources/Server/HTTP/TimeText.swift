package import BelfryCore

/// RFC 3339 times, read and written without a calendar library.
package enum TimeText {
    /// Reads `2026-11-21T03:50:04Z`, with optional fractions and offset; a leap second counts as the second after it.
    static func parse(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Timestamp? {
        guard range.count >= 20, range.count <= 40 else { return nil }
        let start = range.lowerBound
        func number(_ offset: Int, _ count: Int) -> Int64? {
            var value: Int64 = 0
            for index in start + offset..<start + offset + count {
                guard (48...57).contains(bytes[index]) else { return nil }
                value = value * 10 + Int64(bytes[index] - 48)
            }
            return value
        }
        func at(_ offset: Int, _ allowed: StaticString) -> Bool {
            allowed.withUTF8Buffer { $0.contains(bytes[start + offset]) }
        }
        guard at(4, "-"), at(7, "-"), at(10, "Tt "), at(13, ":"), at(16, ":"),
            let year = number(0, 4), let month = number(5, 2), let day = number(8, 2),
            let hour = number(11, 2), let minute = number(14, 2), let second = number(17, 2),
            (1...12).contains(month), day >= 1, day <= days(in: month, of: year), hour <= 23,
            minute <= 59, second <= 60
        else { return nil }
        var index = start + 19
        let fraction = milliseconds(bytes, &index, range.upperBound)
        guard let fraction, let offset = offsetMinutes(bytes, &index, range.upperBound),
            index == range.upperBound
        else { return nil }
        let minutes = dayNumber(year, month, day) * 1440 + hour * 60 + minute - offset
        return Timestamp(milliseconds: (minutes * 60 + second) * 1000 + fraction)
    }

    package static func parse(_ text: String) -> Timestamp? {
        let bytes = Array(text.utf8)
        return parse(bytes.span, 0..<bytes.count)
    }

    /// Writes UTC with milliseconds: `2026-11-21T03:50:04.000Z`. Times outside the years 0 to 9999 are clamped.
    package static func render(_ time: Timestamp) -> String {
        let clamped = min(max(time.milliseconds, -62_167_219_200_000), 253_402_300_799_999)
        let day = clamped >= 0 ? clamped / 86_400_000 : -((86_399_999 - clamped) / 86_400_000)
        let rest = clamped - day * 86_400_000
        let (year, month, date) = civil(day)
        func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let years = String(year)
        let fraction = String(rest % 1000)
        return String(repeating: "0", count: 4 - years.count) + years + "-" + two(month) + "-"
            + two(date) + "T" + two(rest / 3_600_000) + ":" + two(rest / 60_000 % 60) + ":"
            + two(rest / 1000 % 60) + "." + String(repeating: "0", count: 3 - fraction.count)
            + fraction + "Z"
    }

    private static func milliseconds(_ bytes: Span<UInt8>, _ index: inout Int, _ end: Int)
        -> Int64?
    {
        guard index < end, bytes[index] == UInt8(ascii: ".") else { return 0 }
        index += 1
        let first = index
        var value: Int64 = 0
        while index < end, (48...57).contains(bytes[index]) {
            if index - first < 3 { value = value * 10 + Int64(bytes[index] - 48) }
            index += 1
        }
        guard index > first else { return nil }
        for _ in 0..<max(0, 3 - (index - first)) { value *= 10 }
        return value
    }

    private static func offsetMinutes(_ bytes: Span<UInt8>, _ index: inout Int, _ end: Int)
        -> Int64?
    {
        guard index < end else { return nil }
        let sign = bytes[index]
        index += 1
        if sign == UInt8(ascii: "Z") || sign == UInt8(ascii: "z") { return 0 }
        guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"), end - index == 5,
            bytes[index + 2] == UInt8(ascii: ":")
        else { return nil }
        var digits: [Int64] = []
        for position in [0, 1, 3, 4] {
            guard (48...57).contains(bytes[index + position]) else { return nil }
            digits.append(Int64(bytes[index + position] - 48))
        }
        index = end
        let hours = digits[0] * 10 + digits[1]
        let minutes = digits[2] * 10 + digits[3]
        guard hours <= 23, minutes <= 59 else { return nil }
        return (sign == UInt8(ascii: "-") ? -1 : 1) * (hours * 60 + minutes)
    }

    private static func days(in month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 4, 6, 9, 11: 30
        case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
        default: 31
        }
    }

    /// Days since 1970-01-01. Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil.
    private static func dayNumber(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
            - 719_468
    }

    /// The inverse of ``dayNumber``: civil_from_days of the same source.
    private static func civil(_ day: Int64) -> (Int64, Int64, Int64) {
        let shifted = day + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let date = dayOfYear - (153 * month + 2) / 5 + 1
        let civilMonth = month < 10 ? month + 3 : month - 9
        return (yearOfEra + era * 400 + (civilMonth <= 2 ? 1 : 0), civilMonth, date)
    }
}
