package import BelfryCore

extension MovingTimeline {
    package func find(_ ids: [PushID]) async throws(TimelineError) -> [Pending?] {
        try await besideMover { () async throws(TimelineError) -> [Pending?]? in
            let sides = sides
            guard let source = sides.source else { return try await sides.target.engine.find(ids) }
            var found = try await source.engine.find(ids)
            let missing = ids.indices.filter { found[$0] == nil }
            if try await isInHand(missing.map { ids[$0] }) { return nil }
            guard !missing.isEmpty else { return found }
            let there = try await sides.target.engine.find(missing.map { ids[$0] })
            for (index, pending) in zip(missing, there) { found[index] = pending }
            return found
        }
    }

    package func nextDue() async throws(TimelineError) -> Timestamp? {
        try await askSides { engine throws(TimelineError) in try await engine.nextDue() }
            .compactMap { $0 }.min()
    }

    package func forecast(from: Timestamp, to: Timestamp, bucket: Duration)
        async throws(TimelineError) -> [Int]
    {
        let parts = try await askSides { engine throws(TimelineError) in
            try await engine.forecast(from: from, to: to, bucket: bucket)
        }
        return parts.dropFirst().reduce(parts[0]) { zip($0, $1).map(+) }
    }

    package func counts() async throws(TimelineError) -> TimelineCounts {
        let parts = try await askSides { engine throws(TimelineError) in
            try await engine.counts()
        }
        return parts.reduce(into: TimelineCounts()) { $0.add($1) }
    }

    /// Asks each side; all of them anew, where one was closed meanwhile because a move has ended.
    private func askSides<Value: Sendable>(
        _ ask: (any MovableTimeline) async throws(TimelineError) -> Value
    ) async throws(TimelineError) -> [Value] {
        while true {
            let age = age
            do throws(TimelineError) {
                var values: [Value] = []
                for side in sides.all { values.append(try await ask(side.engine)) }
                return values
            } catch {
                guard error.code == .closed, age != self.age else { throw error }
            }
        }
    }
}

/// Rings when the alarm of either side does, or the sides have changed.
package struct MovingAlarm: Alarm {
    let timeline: MovingTimeline

    package func wait(nextDue: Timestamp?) async throws(CancellationError) {
        let (age, sides, changed) = (timeline.age, timeline.sides, timeline.changed)
        await withTaskGroup { group in
            for side in sides.all {
                group.addTask {
                    // Cancelled when another is first: that is how it ends, and no failure.
                    do throws(CancellationError) {
                        try await side.alarm.wait(nextDue: nextDue)
                    } catch {}
                }
            }
            group.addTask { await changed.wait(until: age) }
            await group.next()
            group.cancelAll()
        }
        if Task.isCancelled { throw CancellationError() }
    }
}
