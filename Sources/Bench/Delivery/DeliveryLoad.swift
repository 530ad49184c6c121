import BelfryCore
import BelfryDelivery
import BelfryJournal
import Logging

/// A load that was not delivered as it should have been: no number of it means anything.
struct DeliveryFailure: Error, CustomStringConvertible {
    var description: String
}

/// Pushes of 120 bytes that fall due at set times, on an embedded timeline, delivered to a channel.
struct DeliveryLoad {
    let folder: String
    /// `nil`: the usual number.
    let lanes: Int?
    let count: Int
    /// When the first is due, after everything was scheduled.
    let head: Duration
    /// Due times are spread evenly over this.
    let spread: Duration
    /// Where the messages go; `nil`: nowhere.
    var target: (any Channel)?
    /// How long after the last due time everything must have been handed over.
    var patience = Duration.seconds(60)

    /// Schedules everything, then delivers it.
    ///
    /// - Returns: the channel, with what it saw, and when the first push was due.
    func run() async throws -> (channel: LatenessChannel, start: Timestamp) {
        let clock = SystemClock()
        let timeline = try await JournalTimeline.open(
            measured: folder,
            lanes: lanes,
            clock: clock
        )
        let start = clock.now() + head
        try await schedule(on: timeline, from: start)
        guard clock.now() < start else {
            throw DeliveryFailure(description: "scheduling took longer than \(head)")
        }
        let (complete, completed) = AsyncStream.makeStream(of: Void.self)
        let channel = LatenessChannel(expecting: count, target: target) { completed.finish() }
        let dispatcher = Dispatcher(
            timeline: timeline,
            alarm: timeline.alarm,
            clock: clock,
            channels: [channel],
            recorder: NoRecorder(),
            seed: 1,
            logger: Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
        )
        let limit = head + spread + patience
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await dispatcher.run() }
            group.addTask {
                for await _ in complete {}
                dispatcher.stop(within: .seconds(10))
            }
            group.addTask {
                // Too slow by far: whatever has come is counted below, and found wanting.
                try await clock.sleep(for: limit)
                completed.finish()
            }
            try await group.next()
            try await group.next()
            group.cancelAll()
            while let result = await group.nextResult() { _ = result }
        }
        await timeline.close()
        guard channel.received == count, channel.early == 0, channel.failed == 0 else {
            throw DeliveryFailure(
                description:
                    "\(channel.received) of \(count) pushes came, \(channel.early) of them early; \(channel.failed) failed"
            )
        }
        return (channel, start)
    }

    private func schedule(on timeline: JournalTimeline, from start: Timestamp) async throws {
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
    }
}
