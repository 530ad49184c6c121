/// What is due, in the order of promise T7: priority band, then due time, then acceptance, with ageing.
///
/// One heap for each band as it was asked for. The head of a band is its oldest push, so that it is the one that has aged most: ageing
/// needs to look at four heads only, and moves nothing. Entries whose push has changed since are dropped when they come up.
struct ReadyQueue {
    struct Entry: BitwiseCopyable {
        var due: Int64
        var sequence: UInt64
        var near: UInt32
        var version: UInt32

        @inline(__always)
        static func < (a: Entry, b: Entry) -> Bool {
            a.due != b.due ? a.due < b.due : a.sequence < b.sequence
        }
    }

    /// An entry and where it stands after ageing.
    struct Ranked: BitwiseCopyable {
        var entry: Entry
        /// The band as it was asked for.
        var band: Int
        /// The band it has moved up to.
        var rank: Int64
    }

    static let bands = 4

    private var heaps = [[Entry]](repeating: [], count: bands)

    /// Entries in all bands, old ones included.
    var count: Int { heaps.reduce(0) { $0 + $1.count } }

    func head(_ band: Int) -> Entry? { heaps[band].first }

    mutating func insert(_ entry: Entry, band: Int) {
        heaps[band].append(entry)
        var child = heaps[band].count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard entry < heaps[band][parent] else { break }
            heaps[band][child] = heaps[band][parent]
            child = parent
        }
        heaps[band][child] = entry
    }

    mutating func removeHead(_ band: Int) {
        guard let last = heaps[band].popLast(), !heaps[band].isEmpty else { return }
        sink(last, from: 0, band)
    }

    /// Drops entries that are no longer wanted, once they are many. O(entries).
    mutating func prune(_ isWanted: (Entry) -> Bool) {
        for band in 0..<Self.bands {
            heaps[band].removeAll { !isWanted($0) }
            for start in stride(from: heaps[band].count / 2 - 1, through: 0, by: -1) {
                sink(heaps[band][start], from: start, band)
            }
        }
    }

    private mutating func sink(_ entry: Entry, from start: Int, _ band: Int) {
        let count = heaps[band].count
        var parent = start
        while true {
            var child = 2 * parent + 1
            guard child < count else { break }
            if child + 1 < count, heaps[band][child + 1] < heaps[band][child] { child += 1 }
            guard heaps[band][child] < entry else { break }
            heaps[band][parent] = heaps[band][child]
            parent = child
        }
        heaps[band][parent] = entry
    }
}
