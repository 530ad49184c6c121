import CBelfryDisk

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// How many pushes are due in every minute, so that a chart of the load ahead needs no scan.
///
/// Counts lie in pages of 1,024 minutes (17 hours) from the year 2000 on; a page is made when its first push comes. What is due before 2000 is
/// counted in the first minute, what is due after 2270 in the last.
///
/// Any push may be counted in any minute, so that nearly every count is a cache miss: it is asked for at once and done a few counts later.
struct LoadAhead: ~Copyable {
    private static let minutes: Int64 = 1024
    private static let minute: Int64 = 60_000
    /// 2000-01-01, in pages since 1970.
    private static let firstPage: Int64 = 15_411
    private static let pageLimit: Int64 = 139_000

    /// A page that nothing was counted in yet is not there.
    private var pages: [UnsafeMutablePointer<UInt32>?] = []
    private let late: UnsafeMutablePointer<Late>
    private var next = 0

    private struct Late {
        var place: UnsafeMutablePointer<UInt32>
        var change: Int32
    }

    private static let lateCounts = 16

    init() {
        let first = Self.makePage()
        pages = [first]
        late = .allocate(capacity: Self.lateCounts)
        late.initialize(repeating: Late(place: first, change: 0), count: Self.lateCounts)
    }

    deinit {
        for page in pages { free(page) }
        late.deallocate()
    }

    @inline(__always)
    mutating func count(_ due: Int64, _ change: Int) {
        let minute = Self.clamped(Self.floor(due, Self.minute))
        let page = Int(minute / Self.minutes)
        if page >= pages.count || pages[page] == nil { makePage(page) }
        guard let counts = pages[page] else { return }
        let place = counts + Int(minute % Self.minutes)
        belfry_prefetch(place)
        perform(next)
        late[next] = Late(place: place, change: Int32(truncatingIfNeeded: change))
        next = (next + 1) % Self.lateCounts
    }

    @inline(__always)
    private func perform(_ index: Int) {
        let count = late[index]
        count.place.pointee = UInt32(
            truncatingIfNeeded: Int(count.place.pointee) + Int(count.change)
        )
        late[index].change = 0
    }

    /// Pushes due in these minutes, counted from 1970.
    func total(minutes range: Range<Int64>) -> Int {
        for index in 0..<Self.lateCounts { perform(index) }
        let end = Self.clamped(range.upperBound)
        var minute = Self.clamped(range.lowerBound)
        var sum = 0
        while minute < end {
            let page = Int(minute / Self.minutes)
            let pageEnd = min(end, (minute / Self.minutes + 1) * Self.minutes)
            guard page < pages.count else { break }
            if let counts = pages[page] {
                let start = Int64(page) * Self.minutes
                for place in Int(minute - start)..<Int(pageEnd - start) {
                    sum += Int(counts[place])
                }
            }
            minute = pageEnd
        }
        return sum
    }

    private mutating func makePage(_ page: Int) {
        while pages.count <= page { pages.append(nil) }
        pages[page] = Self.makePage()
    }

    private static func makePage() -> UnsafeMutablePointer<UInt32> {
        guard let memory = calloc(Int(minutes), 4) else { fatalError("out of memory") }
        return memory.bindMemory(to: UInt32.self, capacity: Int(minutes))
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
