import BelfryCore
import BelfryRedisProcess

/// The rush itself: everybody is told, and in the middle of it a worker and a primary of Redis die.
struct Rush: Sendable {
    let stage: ClusterStage
    let watch: QueueWatch
    let promised: Int
    let tell: @Sendable (String) -> Void

    /// What was seen besides the messages.
    struct Sight: Sendable {
        /// How many pushes the killed worker held.
        var held: Int
        /// How many were still to be sent when patience ended.
        var pending = 0
    }

    /// Longer than everything takes on a slow machine.
    private var patience: Duration { .seconds(120) + .milliseconds(5 * promised) }

    /// - Throws: `CancellationError`, ``ClusterDemoFailure``.
    func play() async throws -> Sight {
        let end = ContinuousClock.now + patience
        try await reach(promised / 4, by: end)
        let all = stage.workers
        guard let victim = all.last else { return Sight(held: 0) }
        let survivors = Array(all.dropLast())
        victim.kill()
        tell("\(watch.count) told: killed \(victim.name)")
        // All three together, as its leases have not ended: its own part shows when the others are done.
        let most = await total(survivors[0]).inFlight ?? promised
        try await reach(promised / 2, by: end)
        if let primary = try await stage.servers.redis.primary() {
            primary.kill()
            tell("\(watch.count) told: killed the primary of Redis at port \(primary.port)")
        }
        var sight = Sight(held: most)
        try await settle(survivors, by: end, &sight)
        tell("\(victim.name) held \(sight.held) when it was killed")
        return sight
    }

    private func reach(_ count: Int, by end: ContinuousClock.Instant) async throws {
        while watch.count < count, ContinuousClock.now < end {
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Waits until nothing is pending, and nothing comes any more.
    ///
    /// - Parameter sight: gets what nobody alive held while pushes were still lent to somebody, where that moment came.
    private func settle(
        _ survivors: [ClusterWorker],
        by end: ContinuousClock.Instant,
        _ sight: inout Sight
    ) async throws {
        var isSeen = false
        while ContinuousClock.now < end {
            let before = await hands(of: survivors)
            let (scheduled, inFlight) = await total(survivors[0])
            let after = await hands(of: survivors)
            sight.pending = (scheduled ?? 0) + (inFlight ?? 0)
            if scheduled == 0, let inFlight, before == 0, after == 0 {
                // Where its leases have ended before the others are done, what they all held is the most that is known.
                if !isSeen, inFlight > 0 {
                    sight.held = inFlight
                    isSeen = true
                }
                if inFlight == 0 { break }
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        var seen = -1
        while seen != watch.count {
            seen = watch.count
            try await Task.sleep(for: .seconds(1))
        }
    }

    private func hands(of workers: [ClusterWorker]) async -> Int? {
        var sum = 0
        for worker in workers {
            guard let held = await worker.metric("belfry_delivery_in_flight") else { return nil }
            sum += held
        }
        return sum
    }

    private func total(_ worker: ClusterWorker) async -> (scheduled: Int?, inFlight: Int?) {
        let scheduled = await worker.metric("belfry_timeline_scheduled")
        return (scheduled, await worker.metric("belfry_timeline_in_flight"))
    }
}
