package import BelfryCore

/// Pushes read in pages, taken out, and put in as they were elsewhere.
extension JournalTimeline: MovableTimeline {
    /// Lane after lane, and in each slot after slot: `3/70000`.
    package func page(after mark: PageMark?, limit: Int) async throws(TimelineError) -> PendingPage
    {
        var (lane, slot) = try place(of: mark)
        while lane < lanes.count {
            let (first, wanted) = (slot, limit)
            let page = try await lanes.ask(lane) { .page(from: first, limit: wanted, $0) }
            (lane, slot) = page.next.map { (lane, $0) } ?? (lane + 1, 0)
            let next = lane < lanes.count ? PageMark("\(lane)/\(slot)") : nil
            if !page.pushes.isEmpty || next == nil {
                return PendingPage(pushes: page.pushes, next: next)
            }
        }
        return PendingPage(pushes: [], next: nil)
    }

    private func place(of mark: PageMark?) throws(TimelineError) -> (lane: Int, slot: UInt32) {
        guard let mark else { return (0, 0) }
        let parts = mark.text.split(separator: "/")
        guard parts.count == 2, let lane = Int(parts[0]), let slot = UInt32(parts[1]), lane >= 0
        else { throw TimelineError(.invalid, "mark: '\(mark.text)' is none of this timeline's") }
        return (lane, slot)
    }

    package func withdraw(_ pushes: [Pending]) async throws(TimelineError) -> [Bool] {
        try await byLane(pushes.map(\.push), pushes) { .withdraw($0, $1) }
    }

    /// Where two lanes are concerned, each part is durable for itself.
    package func place(_ pushes: [Pending]) async throws(TimelineError) -> [Bool] {
        let known = try await find(pushes.map(\.push.id))
        let new = pushes.indices.filter { known[$0] == nil }
        let isIn = try await byLane(new.map { pushes[$0].push }, new.map { pushes[$0] }) {
            .place($0, $1)
        }
        var all = [Bool](repeating: false, count: pushes.count)
        for (index, isIn) in zip(new, isIn) { all[index] = isIn }
        return all
    }

    package func awaitsJoining(_ pushes: [Push]) async throws(TimelineError) -> [Bool] {
        try await byLane(pushes, pushes) { .awaitsJoining($0, $1) }
    }

    /// Nobody else has the folder: there is nobody to refuse.
    package func retire() async throws(TimelineError) -> Bool {
        let counts = try await counts()
        return counts.scheduled + counts.inFlight == 0
    }

    /// Asks the lane of each push's recipient about its item.
    private func byLane<Item: Sendable>(
        _ pushes: [Push],
        _ items: [Item],
        _ command: ([Item], Reply<[Bool]>) -> Command
    ) async throws(TimelineError) -> [Bool] {
        guard !items.isEmpty else { return [] }
        let sorted = ByLane(try pushes.lanes(key, among: lanes.count), lanes: lanes.count)
        let answers = Gathering<[Bool]>(sorted.lanes.count)
        lanes.tell(
            sorted.lanes.enumerated().map { place, lane in
                (lane, command(sorted.pick(items, lane), answers[place]))
            }
        )
        let results = try await answers.all().values()
        return sorted.ordered(results, strangers: false).compactMap { $0 }
    }
}

extension [Push] {
    /// The lane of each recipient.
    fileprivate func lanes(_ key: HashKey, among count: Int) throws(TimelineError) -> [Int] {
        var lanes: [Int] = []
        for push in self {
            let batch: PushBatch
            do { batch = try PushBatch([push]) } catch {
                throw TimelineError(.invalid, "\(push.id): \(error)")
            }
            lanes.append(
                batch.bytes.withUnsafeBytes { bytes in
                    bytes.baseAddress.map { key.lane(of: $0, among: count) } ?? 0
                }
            )
        }
        return lanes
    }
}
