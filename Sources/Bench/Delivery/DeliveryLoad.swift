package import BelfryCore
import BelfryDelivery
import BelfryJournal
import Logging

/// A load that was not delivered as it should have been: no number of it means anything.
struct DeliveryFailure: Error, CustomStringConvertible {
    var description: String
}

/// Pushes of 120 bytes that fall due at set times, scheduled on a timeline and delivered to a channel.
package struct DeliveryLoad: Sendable {
    package let count: Int
    /// When the first is due, after everything was scheduled.
    package let head: Duration
    /// Due times are spread evenly over this.
    package let spread: Duration
    /// Where the messages go; `nil`: nowhere.
    package var target: (any Channel)?
    /// How long after the last due time everything must have been handed over.
    package var patience = Duration.seconds(60)

    /// - Parameter rate: pushes that can surely be scheduled in a second, here: the first is due when they have been, with some seconds to spare.
    package init(count: Int, spread: Duration, scheduledAt rate: Int = 50_000) {
        self.count = count
        self.spread = spread
        head = .seconds(3 + Int64(count / rate))
    }

    /// Schedules everything on an embedded timeline, then delivers it.
    ///
    /// - Parameter lanes: `nil`: the usual number.
    /// - Returns: how late they were, and when the first was due.
    func run(in folder: String, lanes: Int?) async throws
        -> (log: LatenessLog, start: Timestamp)
    {
        let timeline = try await JournalTimeline.open(
            measured: folder,
            lanes: lanes,
            clock: SystemClock()
        )
        let start = try await schedule(on: timeline)
        let log = try await deliver(by: [timeline], from: start) { $0.alarm }
        await timeline.close()
        return (log, start)
    }

    /// - Returns: when the first push is due, in a few seconds.
    package func schedule(on timeline: some Timeline) async throws -> Timestamp {
        let clock = SystemClock()
        let start = clock.now() + head
        let span = spread.milliseconds
        var batch = PushBatch()
        for number in 0..<count {
            try batch.append(
                Push(
                    id: PushID(String(decoding: BenchPushes.id(number), as: UTF8.self)),
                    recipient: Recipient(account: "bench", person: "p\(number)"),
                    due: start + .milliseconds(Int64(number) * span / Int64(count)),
                    channel: target?.name ?? "null",
                    payload: BenchPushes.payload
                )
            )
            if batch.count == BenchPushes.batch || number == count - 1 {
                _ = try await timeline.schedule(batch)
                batch.removeAll()
            }
        }
        guard clock.now() < start else {
            throw DeliveryFailure(description: "scheduling took longer than \(head)")
        }
        return start
    }

    /// Delivers by as many workers as there are views of the timeline.
    ///
    /// - Returns: how late they were.
    package func deliver<Engine: Timeline, Hint: Alarm>(
        by timelines: [Engine],
        from start: Timestamp,
        alarm: (Engine) -> Hint
    ) async throws -> LatenessLog {
        let clock = SystemClock()
        let (complete, completed) = AsyncStream.makeStream(of: Void.self)
        let log = LatenessLog(expecting: count) { completed.finish() }
        let channel = LatenessChannel(log, target: target)
        let workers = timelines.enumerated().map { number, timeline in
            Dispatcher(
                timeline: timeline,
                alarm: alarm(timeline),
                clock: clock,
                channels: [channel],
                recorder: NoRecorder(),
                seed: UInt64(number + 1),
                logger: Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
            )
        }
        let limit = (start - clock.now()) + spread + patience
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in workers { group.addTask { try await worker.run() } }
            group.addTask {
                for await _ in complete {}
                for worker in workers { worker.stop(within: .seconds(10)) }
            }
            let watch = Task {
                // Too slow by far: whatever has come is counted below, and found wanting.
                try await clock.sleep(for: limit)
                completed.finish()
            }
            defer { watch.cancel() }
            try await group.waitForAll()
        }
        try check(log)
        return log
    }

    /// - Throws: where a number of it would mean nothing.
    package func check(_ log: LatenessLog) throws {
        guard log.received == count, log.early == 0, log.failed == 0 else {
            throw DeliveryFailure(
                description:
                    "\(log.received) of \(count) pushes came, \(log.early) of them early; \(log.failed) failed"
            )
        }
    }
}
