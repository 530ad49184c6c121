/// Durations as people write them: `90s`, `1h30m`, `250ms`, `2d`, or ISO-8601 `PT1M30S`, `P2D`.
///
/// Units go from large to small, each once, so that a slip like `5m5h` is noticed. Years and months are refused, for they have no
/// fixed length.
package enum DurationText {
    /// - Returns: whole milliseconds, not negative; `nil` where the text is no duration or is longer than 1,000 years.
    package static func parse(_ text: String) -> Duration? {
        let bytes = Array(text.utf8)
        guard !bytes.isEmpty, bytes.count <= 64 else { return nil }
        let milliseconds =
            bytes[0] == UInt8(ascii: "P") ? iso8601(bytes.dropFirst()) : units(bytes[...], short)
        guard let milliseconds, milliseconds <= 1000 * 366 * 86_400_000 else { return nil }
        return .milliseconds(milliseconds)
    }

    /// In one unit, the largest that is exact: `90s`, `36h`, `1500ms`.
    package static func inOneUnit(_ span: Duration) -> String {
        let milliseconds = span.milliseconds
        guard milliseconds != 0 else { return "0s" }
        // Weeks are read, never told.
        let unit = short.dropFirst().first { milliseconds % $0.size == 0 } ?? ("ms", 1)
        return "\(milliseconds / unit.size)\(unit.name)"
    }

    /// In several units, as people tell it: `2h30m`. Below three days it is told in hours, as the 48 hours of a window always are.
    package static func text(_ span: Duration) -> String {
        var rest = span.milliseconds
        guard rest > 0 else { return "0s" }
        var text = ""
        let isLong = rest >= 3 * 86_400_000
        for unit in short.dropFirst(isLong ? 1 : 2) where rest >= unit.size {
            text += "\(rest / unit.size)\(unit.name)"
            rest %= unit.size
        }
        return text
    }

    private typealias Unit = (name: String, size: Int64)

    private static let short: [Unit] = [
        ("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000),
        ("ms", 1),
    ]
    private static let date: [Unit] = [("W", 604_800_000), ("D", 86_400_000)]
    private static let time: [Unit] = [("H", 3_600_000), ("M", 60_000), ("S", 1000)]

    private static func iso8601(_ bytes: ArraySlice<UInt8>) -> Int64? {
        let parts = bytes.split(
            separator: UInt8(ascii: "T"),
            maxSplits: 1,
            omittingEmptySubsequences: false
        )
        guard parts.count == 1 || !parts[1].isEmpty, !bytes.isEmpty else { return nil }
        var sum: Int64 = 0
        if !parts[0].isEmpty {
            guard let days = units(parts[0], date) else { return nil }
            sum += days
        }
        if parts.count == 2 {
            guard let rest = units(parts[1], time) else { return nil }
            sum += rest
        }
        return sum
    }

    /// A row of numbers with units, from large to small; the last number may have up to three decimals.
    private static func units(_ bytes: ArraySlice<UInt8>, _ units: [Unit]) -> Int64? {
        var rest = bytes
        var sum: Int64 = 0
        var smallest = Int64.max
        repeat {
            guard let (thousandths, isWhole) = number(&rest) else { return nil }
            let name = rest.prefix { !(48...57).contains($0) }
            rest = rest.dropFirst(name.count)
            guard let unit = units.first(where: { name.elementsEqual($0.name.utf8) }),
                unit.size < smallest, isWhole || rest.isEmpty
            else { return nil }
            smallest = unit.size
            let (product, overflow) = thousandths.multipliedReportingOverflow(by: unit.size)
            let (total, overflows) = sum.addingReportingOverflow(product / 1000)
            guard !overflow, !overflows else { return nil }
            sum = total
        } while !rest.isEmpty
        return sum
    }

    private static func number(_ rest: inout ArraySlice<UInt8>) -> (
        thousandths: Int64, isWhole: Bool
    )? {
        func digits(_ most: Int) -> (value: Int64, count: Int)? {
            let digits = rest.prefix { (48...57).contains($0) }
            guard !digits.isEmpty, digits.count <= most else { return nil }
            rest = rest.dropFirst(digits.count)
            return (digits.reduce(0) { $0 * 10 + Int64($1 - 48) }, digits.count)
        }
        guard let (whole, _) = digits(14) else { return nil }
        guard rest.first == UInt8(ascii: ".") else { return (whole * 1000, true) }
        rest = rest.dropFirst()
        guard let (fraction, count) = digits(3) else { return nil }
        return (whole * 1000 + fraction * [100, 10, 1][count - 1], false)
    }
}
