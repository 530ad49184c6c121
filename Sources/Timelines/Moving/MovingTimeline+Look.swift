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
        var earliest: Timestamp?
        for side in sides.all {
            guard let due = try await side.engine.nextDue() else { continue }
            earliest = min(earliest ?? due, due)
        }
        return earliest
    }

    package func forecast(from: Timestamp, to: Timestamp, bucket: Duration)
        async throws(TimelineError) -> [Int]
    {
        var sum: [Int] = []
        for side in sides.all {
            let part = try await side.engine.forecast(from: from, to: to, bucket: bucket)
            sum = sum.isEmpty ? part : zip(sum, part).map(+)
        }
        return sum
    }

    package func counts() async throws(TimelineError) -> TimelineCounts {
        var sum = TimelineCounts()
        for side in sides.all { sum.add(try await side.engine.counts()) }
        return sum
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
