package import BelfryCore
package import BelfryJournal
import BelfryMoving
import BelfryRedis
import Logging

/// The timeline in use, for types that are generic over theirs: embedded in the data folder, on Redis or on PostgreSQL, or on the way from one to another.
package struct NodeTimeline: Timeline {
    let base: MovingTimeline
    /// The folder's own: what is in use, or empty beside another.
    package let journal: JournalTimeline
    package let alarm: NodeAlarm
    let places: OpenPlaces
    /// Whose bands hold for what is scheduled; `nil`: each push's own.
    var live: LiveConfiguration?

    /// Ends it; calls that come later throw `closed`.
    package func close() async {
        await places.keep([])
        await journal.close()
    }

    /// Where it is, and while pushes move, where they come from, as far as that is on Redis.
    private var onRedis: [RedisTimeline] {
        [base.sides.target, base.sides.source].compactMap { $0?.engine as? RedisTimeline }
    }

    /// How many shards of a timeline on Redis this process asks first; `nil` where there are none.
    package var ownedShards: Int? { onRedis.first?.ownedShards }

    /// Tells those who share it on Redis that this process is there, also while it has nothing to do.
    func beat() async { for redis in onRedis { await redis.beat() } }

    package func schedule(_ batch: PushBatch) async throws(TimelineError) -> [ScheduleOutcome] {
        try await base.schedule(live?.settings.banded(batch) ?? batch)
    }

    package func cancel(_ ids: [PushID]) async throws(TimelineError) -> [CancelOutcome] {
        try await base.cancel(ids)
    }

    package func find(_ ids: [PushID]) async throws(TimelineError) -> [Pending?] {
        try await base.find(ids)
    }

    package func claim(limit: Int, lease: Duration, deferring deferral: Deferral?)
        async throws(TimelineError) -> ClaimBatch
    {
        try await base.claim(limit: limit, lease: lease, deferring: deferral)
    }

    package func settle(_ settlements: [Settlement]) async throws(TimelineError)
        -> [SettleOutcome]
    {
        try await base.settle(live?.settings.banded(settlements) ?? settlements)
    }

    package func extend(_ tokens: [ClaimToken], lease: Duration) async throws(TimelineError)
        -> [ExtendOutcome]
    {
        try await base.extend(tokens, lease: lease)
    }

    package func nextDue() async throws(TimelineError) -> Timestamp? { try await base.nextDue() }

    package func forecast(from: Timestamp, to: Timestamp, bucket: Duration)
        async throws(TimelineError) -> [Int]
    {
        try await base.forecast(from: from, to: to, bucket: bucket)
    }

    package func counts() async throws(TimelineError) -> TimelineCounts { try await base.counts() }
}

/// The alarm of the timeline chosen at start.
package struct NodeAlarm: Alarm {
    let base: any Alarm

    package func wait(nextDue: Timestamp?) async throws(CancellationError) {
        try await base.wait(nextDue: nextDue)
    }
}

extension NodeTimeline {
    /// Opens the folder's own journal, in any case: whoever has it owns the folder.
    ///
    /// - Throws: ``TimelineError``.
    static func journal(
        _ configuration: ServerConfiguration,
        in folder: DataFolder,
        clock: any WallClock,
        logger: Logger
    ) async throws -> JournalTimeline {
        var settings = JournalConfiguration(configuration)
        settings.checksRuns = true
        settings.tellDamage = { BelfryNode.tell($0, in: folder, logger) }
        let journal = try await JournalTimeline.open(
            folder: folder.timeline,
            configuration: settings,
            clock: clock
        )
        logger.info(
            "the journal in the data folder is open",
            metadata: ["lanes": "\(journal.laneCount)"]
        )
        BelfryNode.tell(journal.dropped, in: folder, logger)
        return journal
    }

    /// Opens what the arrangement names.
    ///
    /// - Throws: ``TimelineError``, `RecordsError`, or ``StartFailure`` where settings and what lies there do not fit.
    static func open(
        _ arrangement: Arrangement,
        _ places: OpenPlaces,
        _ journal: JournalTimeline,
        hand: RecordedHand,
        clock: any WallClock
    ) async throws -> NodeTimeline {
        let isEmbedded = [arrangement.from, arrangement.to].contains { $0?.kind == .embedded }
        if !isEmbedded { try await refuseLeftBehind(in: journal) }
        let base = MovingTimeline(
            try await places.sides(arrangement),
            hand: hand,
            // It waits for moments of time that passes, whatever the node's clock is.
            clock: SystemClock()
        )
        return NodeTimeline(
            base: base,
            journal: journal,
            alarm: NodeAlarm(base: base.alarm),
            places: places
        )
    }

    /// Pushes in the folder would never be sent once another timeline is used.
    private static func refuseLeftBehind(in journal: JournalTimeline) async throws {
        let counts = try await journal.counts()
        let pending = counts.scheduled + counts.inFlight
        guard pending == 0 else {
            throw StartFailure(
                .misconfigured,
                "timeline.url names another place, but \(pending) pushes are pending in the data folder. Start "
                    + "without timeline.url and move them (belfry migrate timeline --to URL), or use another data.folder."
            )
        }
    }
}
