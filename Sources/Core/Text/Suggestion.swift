/// Finds what a misspelt word probably meant.
package enum Suggestion {
    /// The candidate with the smallest edit distance, if that is at most a third of the word (and at least one edit). Neither
    /// case nor `-` for `_` counts as an edit; of equals, the first in the alphabet.
    package static func nearest(
        to word: String,
        among candidates: some Sequence<String>
    ) -> String? {
        // A long word is not a slip of the finger, and comparing it would cost length squared.
        guard word.utf8.count <= 64 else { return nil }
        let typed = folded(word)
        let allowed = max(1, word.count / 3)
        return
            candidates
            .map { ($0, distance(typed, folded($0))) }
            .filter { $0.1 <= allowed }
            .min { ($0.1, $0.0) < ($1.1, $1.0) }?.0
    }

    private static func folded(_ word: String) -> [Character] {
        word.lowercased().map { $0 == "-" ? "_" : $0 }
    }

    /// Edits (insert, delete, replace, swap of neighbours) from one word to the other.
    private static func distance(_ a: [Character], _ b: [Character]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...b.count)
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var cost = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                    cost = min(cost, beforeLast[j - 1] + 1)
                }
                row.append(cost)
            }
            beforeLast = last
            last = row
        }
        return last[b.count]
    }
}
