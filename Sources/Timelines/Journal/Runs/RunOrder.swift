/// The order of a run's entries: priority band, then due time.
///
/// Entries that are due together may lie in any order: whoever reads them puts them into the ready queue, which knows the order of acceptance.
enum RunOrder {
    /// A run holds no more entries than this.
    static let limit = 1 << indexBits
    private static let indexBits: UInt64 = 22
    private static let dueBits: UInt64 = 40

    /// Indices of `drafts` in the order of the run. O(n): a radix sort of one word each.
    static func sorted(_ drafts: [RunDraft]) -> [UInt32] {
        precondition(drafts.count <= limit, "too many entries for one run")
        guard let last = drafts.lazy.map(\.due).max() else { return [] }
        let first = drafts.lazy.map(\.due).min() ?? last
        // 34 years fit. What is older than that is due now, in whatever order.
        let (span, overflow) = last.subtractingReportingOverflow(first)
        let base = overflow || span >= 1 << dueBits ? last - (1 << dueBits) + 1 : first
        var keys = drafts.enumerated().map { index, draft in
            UInt64(draft.band) << (indexBits + dueBits)
                | UInt64(max(draft.due, base) - base) << indexBits | UInt64(index)
        }
        sort(&keys)
        return keys.map { UInt32($0 & (1 << indexBits - 1)) }
    }

    /// Least significant digit first; the index, which is in order already, is left out.
    private static func sort(_ keys: inout [UInt64]) {
        var other = [UInt64](repeating: 0, count: keys.count)
        for shift in stride(from: indexBits, to: 64, by: 11) {
            var places = [Int](repeating: 0, count: 2048)
            for key in keys { places[Int(key >> shift & 2047)] += 1 }
            if places.contains(keys.count) { continue }
            var sum = 0
            for digit in places.indices {
                let count = places[digit]
                places[digit] = sum
                sum += count
            }
            for key in keys {
                let digit = Int(key >> shift & 2047)
                other[places[digit]] = key
                places[digit] += 1
            }
            swap(&keys, &other)
        }
    }
}
