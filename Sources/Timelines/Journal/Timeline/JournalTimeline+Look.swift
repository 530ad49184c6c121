package import BelfryCore

/// What changes nothing: asked of every lane, and put together.
extension JournalTimeline {
    package func find(_ ids: [PushID]) async throws(TimelineError) -> [Pending?] {
        let found = try await lanes.askAll { .find(ids, $0) }.values()
        return ids.indices.map { id in
            // While a call moves an id to another recipient, two lanes may have it.
            found.compactMap { $0[id] }.max { $0.accepted < $1.accepted }
        }
    }

    package func nextDue() async throws(TimelineError) -> Timestamp? {
        try await lanes.askAll { .nextDue($0) }.values().compactMap { $0 }.min()
    }

    package func forecast(from: Timestamp, to: Timestamp, bucket: Duration)
        async throws(TimelineError) -> [Int]
    {
        let counts = try await lanes.askAll {
            .forecast(from: from, to: to, bucket: bucket, $0)
        }.values()
        return counts[0].indices.map { bucket in counts.reduce(0) { $0 + $1[bucket] } }
    }

    package func counts() async throws(TimelineError) -> TimelineCounts {
        try await lanes.askAll { .counts($0) }.values().reduce(into: TimelineCounts()) {
            $0.add($1)
        }
    }

    /// Blocks that cannot be read, and whose pushes are set aside.
    package func damage() async throws(TimelineError) -> [DamagedBlock] {
        let found = try await lanes.askAll { .damage($0) }.values()
        return found.indices.flatMap { named(found[$0], of: $0) }
    }

    /// With the lane's folder before the names of files.
    func named(_ blocks: [DamagedBlock], of lane: Int) -> [DamagedBlock] {
        guard let layout else { return blocks }
        return blocks.map { block in
            var block = block
            block.file = "\(layout.folders[lane])/\(block.file)"
            return block
        }
    }
}
