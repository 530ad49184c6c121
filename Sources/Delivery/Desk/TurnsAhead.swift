import BelfryCore

/// How many pushes were put back for a turn that is still to come, by the second of their turn. Turns lie two minutes ahead at most; a push
/// that is cancelled meanwhile counts until then.
struct TurnsAhead {
    private static let span: Int64 = 128
    private var seconds = [Int64](repeating: .min, count: Int(span))
    private var counts = [Int](repeating: 0, count: Int(span))

    mutating func add(_ turn: Timestamp) {
        let second = turn.milliseconds / 1000
        let slot = Int(second % Self.span)
        if seconds[slot] != second {
            seconds[slot] = second
            counts[slot] = 0
        }
        counts[slot] += 1
    }

    /// Those whose second has not come.
    func total(after now: Timestamp) -> Int {
        let second = now.milliseconds / 1000
        return zip(seconds, counts).reduce(0) { total, slot in
            // What lies further ahead was counted before the clock was set back.
            slot.0 > second && slot.0 <= second + Self.span ? total + slot.1 : total
        }
    }
}
