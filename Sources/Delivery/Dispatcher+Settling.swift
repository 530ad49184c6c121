import BelfryCore
import Logging
import Synchronization

/// How a call that settles has ended.
private final class SettlementFate: Sendable {
    let bell = Doorbell()
    private let failure = Mutex<TimelineError?>(nil)

    /// Why it failed, if it has.
    var error: TimelineError? { failure.withLock { $0 } }

    func fail(_ error: TimelineError) { failure.withLock { $0 = error } }
}

extension Dispatcher {
    /// So long a settlement is waited for before the next one is begun: a part of the timeline may be away, and the others go on.
    private static var settleTogether: Duration { .milliseconds(250) }

    /// Settles what is decided, everything that has gathered in one call.
    func keepSettling() async {
        await withDiscardingTaskGroup { group in
            do {
                while true {
                    try await settleBell.wait()
                    var failures = 0
                    while let fate = settleNext(in: &group) {
                        let clock = clock
                        try await firstOf(
                            { () async throws(CancellationError) in
                                try await clock.sleep(for: Self.settleTogether)
                            },
                            { () async throws(CancellationError) in try await fate.bell.wait() }
                        )
                        guard let error = fate.error else {
                            failures = 0
                            continue
                        }
                        failures += 1
                        try await pause(after: error, failures, "settle")
                    }
                }
            } catch {
                // Cancelled: the run ends, and ``flush()`` has the last word.
            }
        }
    }

    /// Begins to settle what has gathered.
    ///
    /// - Returns: what becomes of it; `nil` where there is nothing, or enough is under way.
    private func settleNext(in group: inout DiscardingTaskGroup) -> SettlementFate? {
        let closings = desk.withLock { $0.takeOutbox(atMost: DispatcherSettings.settlements) }
        guard !closings.isEmpty else { return nil }
        let fate = SettlementFate()
        group.addTask {
            do throws(TimelineError) { try await self.settle(closings) } catch {
                self.desk.withLock { $0.unsettled(closings) }
                fate.fail(error)
            }
            fate.bell.ring()
            self.settleBell.ring()
        }
        return fate
    }

    private func settle(_ closings: [Closing]) async throws(TimelineError) {
        let outcomes: [SettleOutcome]
        do {
            outcomes = try await timeline.settle(closings.map(\.settlement))
        } catch  where error.code == .invalid {
            return try await settleOneByOne(closings, error)
        }
        settled(closings, outcomes)
    }

    /// One settlement with a successor that no timeline accepts must not keep the others from being settled.
    private func settleOneByOne(_ closings: [Closing], _ error: TimelineError)
        async throws(TimelineError)
    {
        logger.error("a settlement is invalid, settling one by one: \(error)")
        var outcomes: [SettleOutcome] = []
        var closings = closings
        for index in closings.indices {
            do {
                outcomes += try await timeline.settle([closings[index].settlement])
            } catch  where error.code == .invalid {
                let id = closings[index].event.claim.push.id
                logger.error("successors of \(id) are dropped: \(error)")
                closings[index].settlement.successors = []
                closings[index].event.successors = []
                outcomes += try await timeline.settle([closings[index].settlement])
            }
        }
        settled(closings, outcomes)
    }

    private func settled(_ closings: [Closing], _ outcomes: [SettleOutcome]) {
        precondition(closings.count == outcomes.count, "one outcome for each settlement")
        var events: [Closing] = []
        events.reserveCapacity(closings.count)
        var earliest = Timestamp.distantFuture
        var putBack: [DeliveryEvent] = []
        for (closing, outcome) in zip(closings, outcomes) {
            switch closing.settlement.result {
            case .retry(let at), .hold(let at):
                earliest = min(earliest, at)
                if outcome == .settled { putBack.append(closing.event) }
            case .done, .dead: break
            }
            for push in closing.settlement.successors { earliest = min(earliest, push.due) }
            guard let event = closing.settled(outcome) else { continue }
            var told = closing
            told.event = event
            told.recordsFirst = false
            events.append(told)
        }
        let now = clock.now()
        meters.settled(closings, outcomes, at: now)
        let (told, first, again) = (events, earliest, putBack)
        let isLookWorthwhile = desk.withLock {
            if !again.isEmpty { $0.putBack(again, at: now) }
            return $0.settled(closings.count, told, earliest: first, at: now)
        }
        recordBell.ring()
        startBell.ring()
        if isLookWorthwhile { lookBell.ring() }
    }

    // MARK: Recording

    /// Writes events down, for as long as it takes. A batch that fails is halved, and an event that fails alone goes to the end.
    func keepRecording() async {
        var failures = 0
        var limit = settings.recordBatch
        do {
            while true {
                try await recordBell.wait()
                while true {
                    let batch = desk.withLock { $0.nextRecords(limit) }
                    if batch.isEmpty { break }
                    do {
                        try await recorder.record(batch.map(\.event))
                        if failures > 0 { await recorder.alert(.recordsRecovered) }
                        failures = 0
                        limit = min(limit * 2, settings.recordBatch)
                        recorded(batch.count)
                    } catch {
                        failures += 1
                        limit = max(1, batch.count / 2)
                        if batch.count == 1 { desk.withLock { $0.rotateRecords() } }
                        try await recordingFailed(failures, error)
                    }
                }
            }
        } catch {
            // Cancelled: the run ends, and ``flush()`` has the last word.
        }
    }

    private func recorded(_ count: Int) {
        let isUnblocked = desk.withLock { desk in
            desk.recorded(count)
            return desk.mayUnblock
        }
        settleBell.ring()
        startBell.ring()
        if isUnblocked { lookBell.ring() }
    }

    private func recordingFailed(_ failures: Int, _ error: any Error)
        async throws(CancellationError)
    {
        let waiting = desk.withLock { $0.unrecorded.count }
        logger.error("\(waiting) events cannot be recorded, to be tried again: \(error)")
        meters.recordingFailed()
        if failures == 1 {
            await recorder.alert(.recordsFailing(waiting: waiting, error: "\(error)"))
        }
        let span = min(50 << min(failures, 8), 10_000)
        var random = SplitMix64(seed: desk.withLock { $0.draw() })
        try await clock.sleep(for: .milliseconds(Int.random(in: span / 2...span, using: &random)))
    }

    // MARK: The end

    /// One last attempt at what is decided: what was sent is settled even if the run was cancelled meanwhile.
    func flush() async {
        guard desk.withLock({ $0.failure == nil }) else { return }
        // Ends without a message sent wait for their records: those first, then all settlements, then what those say.
        for _ in 0..<2 {
            await flushSettlements()
            let batch = desk.withLock { $0.nextRecords(.max) }
            guard !batch.isEmpty else { return }
            do {
                try await recorder.record(batch.map(\.event))
                desk.withLock { $0.recorded(batch.count) }
            } catch {
                logger.error("\(batch.count) events are not recorded at the end: \(error)")
                return
            }
        }
        await flushSettlements()
    }

    private func flushSettlements() async {
        while true {
            let closings = desk.withLock { $0.takeOutbox(atMost: .max) }
            if closings.isEmpty { return }
            do {
                try await settle(closings)
            } catch {
                logger.error("\(closings.count) settlements are left to their leases: \(error)")
                return
            }
        }
    }
}
