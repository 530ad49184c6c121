import BelfryCore
import BelfryDelivery
import BelfryJournal
import Logging

extension Benchmark {
    /// Ten times as much as can be sent.
    static let overload = Benchmark(
        "overload",
        "Lateness of high pushes at half of what the other side takes, alone and with ten times that of low ones on top"
    ) { setting in
        let load = OverloadLoad(
            folder: setting.folder,
            lanes: setting.lanes,
            seconds: setting.count(12, least: 4)
        )
        let (channel, deferred) = try await load.run()
        let rows = [("p50", 50.0), ("p99", 99.0), ("p999", 99.9)].map { part, percent in
            Measurement(
                "overload.high.\(part)",
                channel.lateness(.high, percentile: percent),
                "ms",
                reference: channel.lateness(.reference, percentile: percent)
            )
        }
        let spare = OverloadLoad.capacity - OverloadLoad.high
        let low = Double(channel.count(.low)) / Double(load.seconds)
        return rows + [
            Measurement("overload.low.sent", low, "pushes/s", reference: Double(spare)),
            Measurement("overload.low.deferred", Double(deferred), "pushes"),
        ]
    }
}

/// High pushes at half of the capacity for some seconds, a pause, and the same again with ten times the capacity of low ones. Everything is scheduled before, on an embedded
/// timeline at its defaults.
private struct OverloadLoad {
    /// A call of 50 ms, a hundred at once: 2,000 a second.
    static let places = 100
    static let service = Duration.milliseconds(50)
    static let capacity = 2_000
    static let high = capacity / 2
    static let low = capacity * 10
    static let pause: Int64 = 2

    let folder: String
    let lanes: Int?
    let seconds: Int

    /// - Returns: the channel, and how many pushes are still deferred at the end.
    func run() async throws -> (BusyChannel, Int) {
        let clock = SystemClock()
        let timeline = try await JournalTimeline.open(
            measured: folder,
            lanes: lanes,
            clock: clock
        )
        // Scheduling a quarter of a million takes a second or two, and much longer on a machine that has other things to do.
        let start = clock.now() + .seconds(5 + Int64(seconds))
        let again = start + .seconds(Int64(seconds) + Self.pause)
        try await schedule(Self.high, .high, from: start, on: timeline)
        try await schedule(Self.high, .high, from: again, on: timeline)
        try await schedule(Self.low, .low, from: again, on: timeline)
        guard clock.now() < start else {
            throw DeliveryFailure(description: "scheduling took too long")
        }
        let channel = BusyChannel(places: Self.places, service: Self.service) { message in
            guard message.recipient.account.hasPrefix("high") else { return .low }
            return message.asked < again ? .reference : .high
        }
        let dispatcher = dispatcher(timeline, clock, channel)
        let end = again + .seconds(Int64(seconds) + Self.pause)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await dispatcher.run() }
            try await clock.sleep(until: end)
            dispatcher.stop(within: .seconds(10))
            try await group.waitForAll()
        }
        let left = try await timeline.counts()
        await timeline.close()
        try check(channel, dispatcher.snapshot(), pending: left.scheduled + left.inFlight)
        return (channel, left.scheduled)
    }

    private func dispatcher(
        _ timeline: JournalTimeline,
        _ clock: SystemClock,
        _ channel: BusyChannel
    ) -> Dispatcher<JournalTimeline, JournalAlarm, SystemClock> {
        var settings = DispatcherSettings()
        settings.sends = Self.places
        // Each account has a share of the calls; here messages are what is scarce, not calls.
        settings.shipments = Self.places * 10
        return Dispatcher(
            timeline: timeline,
            alarm: timeline.alarm,
            clock: clock,
            channels: [channel],
            recorder: NoRecorder(),
            settings: settings,
            seed: 1,
            logger: Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    private func check(_ channel: BusyChannel, _ snapshot: DeliverySnapshot, pending: Int) throws {
        let wanted = Self.high * seconds
        let (first, second) = (channel.count(.reference), channel.count(.high))
        guard first == wanted, second == wanted else {
            throw DeliveryFailure(
                description: "\(first) and \(second) of \(wanted) high pushes came"
            )
        }
        let all = 2 * wanted + Self.low * seconds
        let known = first + second + channel.count(.low) + pending
        guard known == all else {
            throw DeliveryFailure(description: "\(known) of \(all) pushes were sent or are pending")
        }
        guard snapshot.overloads > 0 else {
            throw DeliveryFailure(description: "nothing was deferred")
        }
    }

    /// So many a second, of four accounts.
    private func schedule(
        _ rate: Int,
        _ priority: Priority,
        from start: Timestamp,
        on timeline: JournalTimeline
    ) async throws {
        let count = rate * seconds
        var batch = PushBatch()
        for number in 0..<count {
            let due = start + .milliseconds(Int64(number) * 1000 / Int64(rate))
            try batch.append(
                Push(
                    id: PushID("\(priority.name)/\(start.milliseconds)/\(number)"),
                    recipient: Recipient(
                        account: "\(priority.name)\(number % 4)",
                        person: "p\(number)"
                    ),
                    due: due,
                    priority: priority,
                    channel: "busy",
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
