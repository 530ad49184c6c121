package import BelfryCore

/// The embedded timeline: pending pushes in one folder of one machine, durable by an append-only journal (promises T1 to T13).
///
/// A call costs one trip to the lane's thread and, where it changes anything, one shared write and `fdatasync`. Calls from many tasks at
/// once are cheapest: they share that sync.
package final class JournalTimeline: Timeline {
    /// Says when a look is worth while, to any number of waiters.
    package let alarm: JournalAlarm
    /// What this opening cut off the journal's end: to be told to whoever runs it.
    package let dropped: [DroppedTail]
    private let inbox: Mailbox<Command>
    private let key: HashKey

    private init(inbox: Mailbox<Command>, _ opened: Opened, alarm: JournalAlarm) {
        self.inbox = inbox
        key = opened.key
        dropped = opened.dropped
        self.alarm = alarm
    }

    deinit {
        // The thread must not outlive the last user. Whoever wants to know when it has ended calls `close`.
        inbox.send(.close(nil))
    }

    /// Opens a folder, or begins one; replays what the last owner left.
    ///
    /// - Throws: ``TimelineError`` with `locked`, `corrupt` (naming file and offset), `newerFormat`, `io` or `full`.
    package static func open(
        folder: String,
        configuration: JournalConfiguration = JournalConfiguration(),
        clock: any WallClock = SystemClock()
    ) async throws(TimelineError) -> JournalTimeline {
        let disk = try DiskStorage(folder: folder)
        return try await open(disk: disk, configuration: configuration, clock: clock)
    }

    /// Opens on any storage: simulations put a faulty one here.
    package static func open(
        disk: some Storage,
        configuration: JournalConfiguration = JournalConfiguration(),
        clock: any WallClock
    ) async throws(TimelineError) -> JournalTimeline {
        let inbox = Mailbox<Command>()
        let board = AlarmBoard()
        let opened: Result<Opened, TimelineError> = await withCheckedContinuation { reply in
            startThread {
                runLane(disk, configuration, clock, inbox, board, reply)
            }
        }
        return JournalTimeline(
            inbox: inbox,
            try opened.get(),
            alarm: JournalAlarm(
                board: board,
                clock: clock,
                inbox: inbox,
                lookAhead: configuration.lookAhead
            )
        )
    }

    /// Finishes what was accepted, and gives the folder free. Calls that come later throw `closed`.
    package func close() async {
        // Closed already: nothing is left to do.
        _ = await withCheckedContinuation { reply in
            if !inbox.send(.close(reply)) { reply.resume(returning: .success(())) }
        }
    }

    // MARK: Timeline

    package func schedule(_ batch: PushBatch) async throws(TimelineError) -> [ScheduleOutcome] {
        let call = ScheduleCall(batch, key: key)
        return try await ask { .schedule(call, $0) }
    }

    package func cancel(_ ids: [PushID]) async throws(TimelineError) -> [CancelOutcome] {
        try await ask { .cancel(ids, $0) }
    }

    package func find(_ ids: [PushID]) async throws(TimelineError) -> [Pending?] {
        try await ask { .find(ids, $0) }
    }

    package func claim(limit: Int, lease: Duration) async throws(TimelineError) -> ClaimBatch {
        try await ask { .claim(limit: limit, lease: lease, $0) }
    }

    package func settle(_ settlements: [Settlement]) async throws(TimelineError)
        -> [SettleOutcome]
    {
        try await ask { .settle(settlements, $0) }
    }

    package func extend(_ tokens: [ClaimToken], lease: Duration) async throws(TimelineError)
        -> [ExtendOutcome]
    {
        try await ask { .extend(tokens, lease: lease, $0) }
    }

    package func nextDue() async throws(TimelineError) -> Timestamp? {
        try await ask { .nextDue($0) }
    }

    package func forecast(from: Timestamp, to: Timestamp, bucket: Duration)
        async throws(TimelineError) -> [Int]
    {
        try await ask { .forecast(from: from, to: to, bucket: bucket, $0) }
    }

    package func counts() async throws(TimelineError) -> TimelineCounts {
        try await ask { .counts($0) }
    }

    /// Writes a copy of everything acknowledged so far into an empty folder, synced, while the timeline goes on.
    ///
    /// - Returns: bytes written.
    /// - Throws: `full` or `io` for either folder; what was written then is of no use.
    package func copy(into folder: String) async throws(TimelineError) -> Int {
        try await ask { .copy(to: folder, $0) }
    }

    private func ask<Value: Sendable>(_ command: (Reply<Value>) -> Command)
        async throws(TimelineError) -> Value
    {
        let result: Result<Value, TimelineError> = await withCheckedContinuation { reply in
            if !inbox.send(command(reply)) {
                reply.resume(returning: .failure(TimelineError(.closed, "the timeline is closed")))
            }
        }
        return try result.get()
    }
}

/// What the lane's thread tells once it is open.
private struct Opened {
    var key: HashKey
    var dropped: [DroppedTail]
}

/// The body of a lane's thread.
private func runLane(
    _ disk: some Storage,
    _ configuration: JournalConfiguration,
    _ clock: any WallClock,
    _ inbox: Mailbox<Command>,
    _ board: AlarmBoard,
    _ reply: Reply<Opened>
) {
    do throws(TimelineError) {
        let lane = try Lane.open(disk, limits: configuration, at: Moment(clock))
        reply.resume(returning: .success(Opened(key: lane.key, dropped: lane.dropped)))
        var thread = LaneThread(lane, inbox: inbox, clock: clock, board: board)
        thread.run()
    } catch {
        disk.release()
        reply.resume(returning: .failure(error))
    }
}
