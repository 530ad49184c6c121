package import BelfryBench
import BelfryCore
import BelfryRedis
import BelfryRedisClient

/// A burst of reminders over one Redis server, by some workers: by Belfry, or in the classic way.
package struct ReminderRun: Sendable {
    package enum Design: Sendable {
        case belfry
        case classic(ClassicQueue.Style)
    }

    package var design: Design
    package var workers: Int
    package var load: DeliveryLoad
    /// How many more are pending, due after an hour or later.
    package var pending = 0
    /// Opens what the classic hands its pushes to; blocks until it has them. `nil`: nobody.
    package var handOver: (@Sendable () throws -> ([ClassicQueue.Due]) throws -> Void)?

    package init(_ design: Design, workers: Int, _ load: DeliveryLoad) {
        self.design = design
        self.workers = workers
        self.load = load
    }

    /// What became of the burst, and what Redis did for it from the first due time on.
    package struct Outcome: Sendable {
        /// Milliseconds from the first due time until the last was handed over.
        package var drained: Double
        package var log: LatenessLog
        /// Pushes for each second of Redis' main thread.
        package var perCore: Double
        /// For each push: commands that Redis carried out, those within scripts among them; bytes that it received and sent.
        package var operations: Double
        package var bytes: Double
        /// Bytes of Redis for each push that was pending before the burst; `nil` without any.
        package var memory: Double?
    }

    /// Runs a server of its own.
    package func run(in folder: String) async throws -> Outcome {
        try await RedisServer.during(folder: folder) { redis in
            switch design {
            case .belfry: try await belfry(on: redis.server.port)
            case .classic(let style):
                try await classic(ClassicQueue(port: redis.server.port, style: style))
            }
        }
    }

    // MARK: Belfry

    private func belfry(on port: Int) async throws -> Outcome {
        let timelines = try await Self.timelines(workers, port: port)
        let empty = try RedisUsage(port: port)
        try await ScheduleLoad.fill(timelines[0], load.count..<load.count + pending)
        let before = try RedisUsage(port: port)
        let start = try await load.schedule(on: timelines[0])
        let scheduled = try RedisUsage(port: port)
        let log = try await load.deliver(by: timelines, from: start) { $0.alarm }
        let outcome = outcome(
            log,
            start,
            try RedisUsage(port: port) - scheduled,
            taken: before.memory - empty.memory
        )
        for timeline in timelines { await timeline.close() }
        return outcome
    }

    static func timelines(_ count: Int, port: Int) async throws -> [RedisTimeline] {
        var timelines: [RedisTimeline] = []
        for number in 0..<count {
            timelines.append(
                try await RedisTimeline.open(
                    RedisAddress("redis://127.0.0.1:\(port)"),
                    configuration: RedisConfiguration(owner: "worker\(number)"),
                    seed: UInt64(number + 1)
                )
            )
        }
        return timelines
    }

    // MARK: The classic

    private func classic(_ queue: ClassicQueue) async throws -> Outcome {
        let clock = SystemClock()
        let empty = try RedisUsage(port: queue.port)
        let now = clock.now()
        try await queue.put(load.count..<load.count + pending) {
            (now + BenchPushes.delay($0)).milliseconds
        }
        let before = try RedisUsage(port: queue.port)
        let start = clock.now() + load.head
        let (span, count) = (load.spread.milliseconds, Int64(load.count))
        try await queue.put(0..<load.count) { start.milliseconds + Int64($0) * span / count }
        let scheduled = try RedisUsage(port: queue.port)
        let log = try await deliver(queue)
        return outcome(
            log,
            start,
            try RedisUsage(port: queue.port) - scheduled,
            taken: before.memory - empty.memory
        )
    }

    private func deliver(_ queue: ClassicQueue) async throws -> LatenessLog {
        let log = LatenessLog(expecting: load.count) {}
        let (workers, count, handOver) = (workers, load.count, handOver)
        let limit = SystemClock().now() + load.head + load.spread + load.patience
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<workers {
                group.addTask {
                    try await queue.work(
                        worker,
                        of: workers,
                        until: { log.received == count || SystemClock().now() > limit }
                    ) {
                        let hand = try handOver?()
                        return { due in
                            let began = microsecondsNow()
                            try hand?(due)
                            let ended = hand == nil ? began : microsecondsNow()
                            log.note(due.lazy.map(\.due), from: began, until: ended)
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        try load.check(log)
        return log
    }

    private func outcome(
        _ log: LatenessLog,
        _ start: Timestamp,
        _ usage: RedisUsage,
        taken: Double
    ) -> Outcome {
        let count = Double(load.count)
        return Outcome(
            drained: Double(log.last - start.milliseconds * 1000) / 1000,
            log: log,
            perCore: count / usage.processor,
            operations: usage.operations / count,
            bytes: usage.bytes / count,
            memory: pending == 0 ? nil : taken / Double(pending)
        )
    }
}
