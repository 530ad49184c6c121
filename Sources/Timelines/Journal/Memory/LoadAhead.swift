/// How many pushes are due in every minute, so that a chart of the load ahead needs no scan.
///
/// Counts lie in pages of 1,024 minutes (17 hours) from the year 2000 on; a page is made when its first push comes. What is due before 2000 is
/// counted in the first minute, what is due after 2270 in the last.
struct LoadAhead {
    private static let minutes: Int64 = 1024
    private static let minute: Int64 = 60_000
    /// 2000-01-01, in pages since 1970.
    private static let firstPage: Int64 = 15_411
    private static let pageLimit: Int64 = 139_000

    private var pages: [[UInt32]] = []

    @inline(__always)
    mutating func count(_ due: Int64, _ change: Int) {
        let minute = Self.clamped(Self.floor(due, Self.minute))
        let page = Int(minute / Self.minutes)
        if page >= pages.count || pages[page].isEmpty { makePage(page) }
        let place = Int(minute % Self.minutes)
        pages[page][place] = UInt32(truncatingIfNeeded: Int(pages[page][place]) + change)
    }

    /// Pushes due in these minutes, counted from 1970.
    func total(minutes range: Range<Int64>) -> Int {
        let end = Self.clamped(range.upperBound)
        var minute = Self.clamped(range.lowerBound)
        var sum = 0
        while minute < end {
            let page = Int(minute / Self.minutes)
            let pageEnd = min(end, (minute / Self.minutes + 1) * Self.minutes)
            guard page < pages.count else { break }
            if !pages[page].isEmpty {
                let start = Int64(page) * Self.minutes
                for place in Int(minute - start)..<Int(pageEnd - start) {
                    sum += Int(pages[page][place])
                }
            }
            minute = pageEnd
        }
        return sum
    }

    private mutating func makePage(_ page: Int) {
        while pages.count <= page { pages.append([]) }
        pages[page] = [UInt32](repeating: 0, count: Int(Self.minutes))
    }

    /// Minutes since 2000.
    private static func clamped(_ minute: Int64) -> Int64 {
        min(max(minute - firstPage * minutes, 0), pageLimit * minutes - 1)
    }

    private static func floor(_ value: Int64, _ divisor: Int64) -> Int64 {
        let quotient = value / divisor
        return value % divisor < 0 ? quotient - 1 : quotient
    }
}
