import BelfryJournal

extension Benchmark {
    /// Resident bytes, not what was asked of an allocator: what the machine has to have.
    static let memoryPerPending = Benchmark(
        "memory.per-pending",
        "Resident bytes that each of 10 million pending pushes adds, whatever its payload"
    ) { setting in
        let pushes = setting.count(10_000_000, least: 100_000)
        // What earlier benchmarks have freed is given back first, or it would hide what is taken now.
        ProcessUsage.trim()
        let before = try ProcessUsage.residentBytes()
        let timeline = try await JournalTimeline.open(
            measured: setting.folder,
            lanes: setting.lanes
        )
        try await ScheduleLoad.fill(timeline, 0..<pushes)
        ProcessUsage.trim()
        let after = try ProcessUsage.residentBytes()
        await timeline.close()
        return [
            Measurement("memory.per-pending", Double(after - before) / Double(pushes), "bytes")
        ]
    }
}
