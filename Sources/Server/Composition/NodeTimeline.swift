package import BelfryCore
package import BelfryJournal
import BelfryPostgres
import BelfryPostgresClient
import BelfryRedis
import BelfryRedisClient
import Logging

/// The timeline chosen at start, for types that are generic over theirs: embedded in the data folder, on Redis or on
/// PostgreSQL.
package struct NodeTimeline: Timeline {
    package let base: any Timeline
    /// The folder's own: what `base` is, or empty beside another.
    package let journal: JournalTimeline
    package let alarm: NodeAlarm
    /// Whose bands hold for what is scheduled; `nil`: each push's own.
    var live: LiveConfiguration?
    private let closing: @Sendable () async -> Void

    /// Ends it; calls that come later throw `closed`.
    package func close() async { await closing() }

    /// How many shards of a timeline on Redis this process asks first; `nil` where there are none.
    package var ownedShards: Int? { (base as? RedisTimeline)?.ownedShards }

    /// Whether others may share it, and have to hear from this process also while it has nothing to do.
    var isShared: Bool { base is RedisTimeline }

    /// Tells those who share it that this process is there.
    func beat() async { await (base as? RedisTimeline)?.beat() }

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
    /// Opens what the configuration names. The folder's own journal is opened in any case: whoever has it owns the folder.
    ///
    /// - Throws: ``TimelineError``, or ``StartFailure`` where settings and what lies there do not fit.
    static func open(
        _ configuration: ServerConfiguration,
        in folder: DataFolder,
        clock: any WallClock,
        seed: UInt64,
        logger: Logger
    ) async throws -> NodeTimeline {
        var settings = JournalConfiguration(configuration)
        settings.checksRuns = true
        settings.tellDamage = { BelfryNode.tell($0, in: folder, logger) }
        let journal = try await JournalTimeline.open(
            folder: folder.timeline,
            configuration: settings,
            clock: clock
        )
        logger.info("the timeline is open", metadata: ["lanes": "\(journal.laneCount)"])
        BelfryNode.tell(journal.dropped, in: folder, logger)
        guard !configuration.timeline.url.isEmpty else {
            return NodeTimeline(
                base: journal,
                journal: journal,
                alarm: NodeAlarm(base: journal.alarm)
            ) {
                await journal.close()
            }
        }
        do {
            try await refuseLeftBehind(in: journal, folder)
            if PostgresAddress.isOne(configuration.timeline.url) {
                let postgres = try await postgres(configuration, folder, seed: seed, logger)
                return NodeTimeline(
                    base: postgres,
                    journal: journal,
                    alarm: NodeAlarm(base: postgres.alarm)
                ) {
                    await postgres.close()
                    await journal.close()
                }
            }
            let redis = try await redis(configuration, folder, seed: seed, logger: logger)
            return NodeTimeline(
                base: redis,
                journal: journal,
                alarm: NodeAlarm(base: redis.alarm)
            ) {
                await redis.close()
                await journal.close()
            }
        } catch {
            await journal.close()
            throw error
        }
    }

    /// Pushes in the folder would never be sent once another timeline is used.
    private static func refuseLeftBehind(in journal: JournalTimeline, _ folder: DataFolder)
        async throws
    {
        let counts = try await journal.counts()
        let pending = counts.scheduled + counts.inFlight
        guard pending == 0 else {
            throw StartFailure(
                .misconfigured,
                "timeline.url names another place, but \(pending) pushes are pending in \(folder.timeline). Start "
                    + "without timeline.url until they have been sent or cancelled, or use another data.folder."
            )
        }
    }

    private static func redis(
        _ configuration: ServerConfiguration,
        _ folder: DataFolder,
        seed: UInt64,
        logger: Logger
    ) async throws -> RedisTimeline {
        let settings = try settings(configuration, folder, logger)
        do {
            let redis = try await RedisTimeline.open(
                try RedisAddress(configuration.timeline.url),
                configuration: settings,
                seed: seed
            )
            do {
                for finding in try await redis.audited() {
                    logger.warning("Redis: \(finding)")
                }
            } catch {
                await redis.close()
                throw error
            }
            return redis
        } catch let error as TimelineError where error.code == .invalid {
            throw StartFailure(.misconfigured, "timeline.url: \(error.message)")
        }
    }

    private static func settings(
        _ configuration: ServerConfiguration,
        _ folder: DataFolder,
        _ logger: Logger
    ) throws(StartFailure) -> RedisConfiguration {
        let wanted = configuration.timeline
        var settings = RedisConfiguration(owner: try folder.nodeID())
        settings.prefix = wanted.prefix
        settings.shards = wanted.shards
        settings.confirmation.replicas = wanted.replicas
        settings.confirmation.onDisk = wanted.confirm == .disk
        settings.intents =
            switch wanted.intents {
            case .auto: .whereReplicated(folder: folder.intents)
            case .on: .on(folder: folder.intents)
            case .off: .off
            }
        settings.alarm = wanted.alarm
        settings.tick = wanted.tick
        settings.told = { logger.warning("Redis: \($0)") }
        return settings
    }

    private static func postgres(
        _ configuration: ServerConfiguration,
        _ folder: DataFolder,
        seed: UInt64,
        _ logger: Logger
    ) async throws -> PostgresTimeline {
        var settings = PostgresConfiguration(owner: try folder.nodeID())
        settings.schema = configuration.timeline.prefix
        do {
            let postgres = try await PostgresTimeline.open(
                try PostgresAddress(configuration.timeline.url),
                configuration: settings,
                seed: seed
            )
            do {
                for finding in try await postgres.audited() {
                    logger.warning("PostgreSQL: \(finding)")
                }
            } catch {
                await postgres.close()
                throw error
            }
            return postgres
        } catch let error as TimelineError where error.code == .invalid {
            throw StartFailure(.misconfigured, "timeline.url: \(error.message)")
        } catch let error as PostgresFailure {
            throw StartFailure(.misconfigured, "timeline.url: \(error.message)")
        }
    }
}
