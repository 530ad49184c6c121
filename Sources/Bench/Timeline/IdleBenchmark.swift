import BelfryCore
import BelfryDelivery
import BelfryJournal
import Logging

extension Benchmark {
    /// The same time whatever the scale, and long enough for every part to have looked once of its own accord.
    static let idleWakeups = Benchmark(
        "idle.wakeups-per-minute",
        "How often any thread wakes in a minute, over five of them, with a million pushes pending and none due, against this program with nothing open"
    ) { setting in
        let bare = try await wakeups(overMinutes: 1)
        let pushes = setting.count(1_000_000, least: 1000)
        let timeline = try await JournalTimeline.open(
            measured: setting.folder,
            lanes: setting.lanes
        )
        try await ScheduleLoad.fill(timeline, 0..<pushes)
        let dispatcher = Dispatcher(
            timeline: timeline,
            alarm: timeline.alarm,
            clock: SystemClock(),
            channels: [LatenessChannel(LatenessLog(expecting: pushes) {})],
            recorder: NoRecorder(),
            seed: 1,
            logger: Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
        )
        let ours = try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await dispatcher.run() }
            let count = try await wakeups(overMinutes: 5)
            dispatcher.stop(within: .seconds(10))
            try await group.waitForAll()
            return count
        }
        await timeline.close()
        return [
            Measurement("idle.wakeups-per-minute", ours, "wake-ups", reference: bare)
        ]
    }

    /// In a minute, of so many. Swift's own runtime wakes about once a second to watch its threads, whatever a program does.
    private static func wakeups(overMinutes minutes: Int) async throws -> Double {
        // Threads that were busy before go to sleep first.
        try await Task.sleep(for: .seconds(10))
        let before = try ProcessUsage.sleeps()
        try await Task.sleep(for: .seconds(60 * minutes))
        let after = try ProcessUsage.sleeps()
        let sleeps = after.reduce(0) { $0 + $1.value - (before[$1.key] ?? 0) }
        return Double(sleeps) / Double(minutes)
    }
}
