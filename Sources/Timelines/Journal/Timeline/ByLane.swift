/// What each lane gets of a list, and how the answers come together again.
struct ByLane {
    /// Of each element; beyond the last lane if no lane knows it.
    private let laneOf: [Int]
    private let count: Int
    /// Lanes that get something.
    let lanes: [Int]

    init(_ laneOf: [Int], lanes count: Int) {
        self.laneOf = laneOf
        self.count = count
        lanes = Set(laneOf).filter { $0 < count }.sorted()
    }

    func pick<Element>(_ list: [Element], _ lane: Int) -> [Element] {
        list.indices.filter { laneOf[$0] == lane }.map { list[$0] }
    }

    /// - Parameters:
    ///   - answers: one list for each of ``lanes``; `nil` for one that has failed.
    ///   - strangers: the answer for what no lane knows.
    func ordered<Answer>(_ answers: [[Answer]?], strangers: Answer) -> [Answer?] {
        var next = [Int](repeating: 0, count: count)
        var listOf = [Int](repeating: 0, count: count)
        for (place, lane) in lanes.enumerated() { listOf[lane] = place }
        return laneOf.map { lane in
            guard lane < count else { return strangers }
            defer { next[lane] += 1 }
            return answers[listOf[lane]]?[next[lane]]
        }
    }
}
