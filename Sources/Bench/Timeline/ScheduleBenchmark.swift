import BelfryCore
import BelfryJournal

extension Benchmark {
    /// A million pushes into the embedded timeline, against the same bytes written and synced raw.
    static let scheduleDurable = scheduling(
        "schedule.durable",
        "Pushes scheduled durably, in process, batches of 1,000, against raw write + fdatasync",
        batches: 1000
    )

    /// Ten million: longer than the journal grows between two checkpoints, so that their cost is part of it.
    static let scheduleSustained = scheduling(
        "schedule.sustained",
        "The same with ten million pushes, checkpoints included",
        batches: 10_000
    )

    private static func scheduling(_ name: String, _ summary: String, batches usual: Int)
        -> Benchmark
    {
        Benchmark(name, summary) { setting in
            let batches = try BenchPushes.batches(setting.count(usual, least: 20))
            let pushes = Double(batches.count * BenchPushes.batch)
            // The first pass over a fresh folder also pays for the memory of the process: let it not be the raw one's alone.
            _ = try ScheduleLoad.raw(Array(batches.prefix(20)), folder: setting.folder)
            let before = try ScheduleLoad.raw(batches, folder: setting.folder)
            let ours = try await ScheduleLoad.journal(
                batches,
                folder: setting.folder,
                lanes: setting.lanes
            )
            let after = try ScheduleLoad.raw(batches, folder: setting.folder)
            return [
                Measurement(
                    name,
                    pushes / ours,
                    "pushes/s",
                    reference: pushes / min(before, after)
                )
            ]
        }
    }

    /// The rate of the next five million pushes: enough for several checkpoints to be part of it at either size.
    static let growth = Benchmark(
        "growth.10m-over-100k",
        "Pushes scheduled a second on top of 10 million pending, against the same on top of 100 thousand"
    ) { setting in
        let next = setting.count(5000, least: 20)
        let small = setting.count(100_000, least: 1000)
        let before = try await rate(of: next, onTopOf: small, setting, "/before")
        let large = setting.count(10_000_000, least: 1000)
        let many = try await rate(of: next, onTopOf: large, setting, "/many")
        // A disk that others use, too, is another one half a minute later.
        let after = try await rate(of: next, onTopOf: small, setting, "/after")
        return [
            Measurement("growth.10m-over-100k", many, "pushes/s", reference: (before + after) / 2)
        ]
    }

    private static func rate(
        of next: Int,
        onTopOf pending: Int,
        _ setting: BenchmarkSetting,
        _ folder: String
    )
        async throws -> Double
    {
        let folder = setting.folder + folder
        let before = try await JournalTimeline.open(measured: folder, lanes: setting.lanes)
        try await ScheduleLoad.fill(before, 0..<pending)
        // No checkpoint of what came before is still being written.
        await before.close()
        let timeline = try await JournalTimeline.open(measured: folder, lanes: setting.lanes)
        let batches = try BenchPushes.batches(next, from: pending)
        let seconds = try await ScheduleLoad.schedule(batches, on: timeline)
        await timeline.close()
        return Double(next * BenchPushes.batch) / seconds
    }
}

extension Benchmark {
    /// What concerns the embedded engine alone.
    package static let engine: [Benchmark] = [
        scheduleDurable, scheduleSustained, growth, memoryPerPending, reopenMillion,
        reopenTenMillion, diskOverLive, idleWakeups,
    ]
}
