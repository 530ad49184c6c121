package import BelfryBench
import BelfryCore
import BelfryDelivery
import BelfryRedis
import Logging

extension Benchmark {
    /// Reminders on one Redis server, against the classic design on another.
    package static let reminders = [
        remindersNull, remindersLateness, remindersPending, remindersIdle,
    ]

    static let remindersNull = Benchmark(
        "reminders.200k.null",
        "200,000 reminders due within one second on Redis, by 1, 2 and 4 workers, handed over to nobody, against a sorted set and workers that look once a second"
    ) { setting in
        let load = burst(setting)
        var rows: [Measurement] = []
        for workers in [1, 2, 4] {
            let ours = try await ReminderRun(.belfry, workers: workers, load)
                .run(in: setting.folder)
            let classic = try await ReminderRun(.classic(.pipelined), workers: workers, load)
                .run(in: setting.folder)
            rows += compared("reminders.200k.null.\(workers)", ours, classic)
            guard workers == 1 else { continue }
            // The same design as it is mostly written.
            let single = try await ReminderRun(.classic(.single), workers: 1, load)
                .run(in: setting.folder)
            rows += compared("reminders.200k.null.1.single", ours, single)
        }
        return rows
    }

    static let remindersLateness = Benchmark(
        "reminders.10k",
        "Lateness of reminders on Redis, 10,000 due a second, against the same classic"
    ) { setting in
        let count = setting.count(100_000, least: 10_000)
        let load = DeliveryLoad(
            count: count,
            spread: .milliseconds(Int64(count / 10)),
            scheduledAt: 10_000
        )
        let ours = try await ReminderRun(.belfry, workers: 1, load).run(in: setting.folder)
        let classic = try await ReminderRun(.classic(.pipelined), workers: 1, load)
            .run(in: setting.folder)
        return lateness("reminders.10k", ours, classic)
    }

    static let remindersPending = Benchmark(
        "reminders.pending",
        "The burst with 100,000 and with five million more pending, and what each of those takes, against the same classic"
    ) { setting in
        var rows: [Measurement] = []
        for (name, pending) in [("100k", 100_000), ("5m", 5_000_000)] {
            var ours = ReminderRun(.belfry, workers: 1, burst(setting))
            ours.pending = setting.count(pending, least: 1000)
            var classic = ours
            classic.design = .classic(.pipelined)
            let (us, them) = (
                try await ours.run(in: setting.folder), try await classic.run(in: setting.folder)
            )
            rows += compared("reminders.pending.\(name)", us, them)
            rows.append(
                Measurement(
                    "reminders.pending.\(name).memory",
                    us.memory ?? 0,
                    "bytes",
                    reference: them.memory
                )
            )
        }
        return rows
    }

    static let remindersIdle = Benchmark(
        "reminders.idle",
        "Commands of Redis a second with 100,000 reminders pending and none due, by one worker, over a minute, against the same classic"
    ) { setting in
        let pushes = setting.count(100_000, least: 1000)
        let ours = try await RedisServer.during(folder: setting.folder) { redis in
            let port = redis.server.port
            let timeline = try await ReminderRun.timelines(1, port: port)[0]
            try await ScheduleLoad.fill(timeline, 0..<pushes)
            let worker = Dispatcher(
                timeline: timeline,
                alarm: timeline.alarm,
                clock: SystemClock(),
                channels: [],
                recorder: NoRecorder(),
                seed: 1,
                logger: Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
            )
            let operations = try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await worker.run() }
                let operations = try await idle(port)
                worker.stop(within: .seconds(10))
                try await group.waitForAll()
                return operations
            }
            await timeline.close()
            return operations
        }
        let classic = try await RedisServer.during(folder: setting.folder) { redis in
            let queue = ClassicQueue(port: redis.server.port)
            let now = SystemClock().now()
            try await queue.put(0..<pushes) { (now + BenchPushes.delay($0)).milliseconds }
            let worker = Task {
                try await queue.work(0, of: 1, until: { Task.isCancelled }) { { _ in } }
            }
            let operations = try await idle(queue.port)
            worker.cancel()
            return operations
        }
        return [
            Measurement("reminders.idle", ours, "commands/s", reference: classic)
        ]
    }

    /// Commands a second that a server carries out for those who are connected.
    private static func idle(_ port: Int) async throws -> Double {
        let seconds = 60
        // Whoever has just begun looks around first.
        try await Task.sleep(for: .seconds(5))
        let before = try RedisUsage(port: port)
        try await Task.sleep(for: .seconds(seconds))
        let usage = try RedisUsage(port: port) - before
        // One is the asking itself.
        return (usage.operations - 1) / Double(seconds)
    }

    package static func burst(_ setting: BenchmarkSetting) -> DeliveryLoad {
        var load = DeliveryLoad(
            count: setting.count(200_000, least: 1000),
            spread: .seconds(1),
            scheduledAt: 10_000
        )
        load.patience = .seconds(300)
        return load
    }

    /// How long, how late, and what Redis did for it.
    package static func compared(
        _ name: String,
        _ ours: ReminderRun.Outcome,
        _ classic: ReminderRun.Outcome
    ) -> [Measurement] {
        [Measurement("\(name).drain", ours.drained, "ms", reference: classic.drained)]
            + lateness(name, ours, classic) + [
                Measurement(
                    "\(name).per-redis-core",
                    ours.perCore,
                    "pushes/s",
                    reference: classic.perCore
                ),
                Measurement(
                    "\(name).operations",
                    ours.operations,
                    "commands",
                    reference: classic.operations
                ),
                Measurement("\(name).bytes", ours.bytes, "bytes", reference: classic.bytes),
            ]
    }

    private static func lateness(
        _ name: String,
        _ ours: ReminderRun.Outcome,
        _ classic: ReminderRun.Outcome
    ) -> [Measurement] {
        [50.0, 99.0].map { percent in
            Measurement(
                "\(name).p\(Int(percent))",
                ours.log.lateness(percentile: percent),
                "ms",
                reference: classic.log.lateness(percentile: percent)
            )
        }
    }
}
