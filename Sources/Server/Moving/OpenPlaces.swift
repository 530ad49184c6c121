import BelfryCore
import BelfryJournal
import BelfryMoving
import BelfryPostgres
import BelfryPostgresClient
import BelfryRecords
import BelfryRedis
import BelfryRedisClient
import Logging
import Synchronization

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The places that this process has open, at most two at a time.
final class OpenPlaces: Sendable {
    private struct Opened {
        var side: Side
        var close: @Sendable () async -> Void
    }

    private let configuration: ServerConfiguration
    private let folder: DataFolder
    private let journal: JournalTimeline
    private let records: Records
    private let clock: any WallClock
    private let seed: UInt64
    private let logger: Logger
    /// What servers have lost.
    let losses = Losses()
    private let open = Mutex<[TimelinePlace: Opened]>([:])
    /// A place is opened once, whoever asks for it.
    private let gate = SharedGate()

    init(
        _ configuration: ServerConfiguration,
        _ folder: DataFolder,
        _ journal: JournalTimeline,
        _ records: Records,
        clock: any WallClock,
        seed: UInt64,
        logger: Logger
    ) {
        self.configuration = configuration
        self.folder = folder
        self.journal = journal
        self.records = records
        self.clock = clock
        self.seed = seed
        self.logger = logger
    }

    /// The sides that an arrangement asks for; what is not open yet is opened.
    ///
    /// - Throws: ``TimelineError``, ``StartFailure`` or `RecordsError`.
    func sides(_ arrangement: Arrangement) async throws -> Sides {
        let from = try await side(arrangement.from)
        guard let place = arrangement.to else { return Sides(from) }
        let to = try await side(place)
        switch arrangement.phase {
        case .single: return Sides(from)
        case .joining: return Sides(from, source: to)
        case .moving: return Sides(to, source: from)
        case .leaving: return Sides(to, source: from, isLeaving: true)
        case .closing: return Sides(to)
        }
    }

    func side(_ place: TimelinePlace) async throws -> Side {
        try await gate.alone {
            if let known = open.withLock({ $0[place]?.side }) { return known }
            let opened = try await opened(place)
            open.withLock { $0[place] = opened }
            return opened.side
        }
    }

    /// Closes all but these.
    func keep(_ places: [TimelinePlace]) async {
        let others = open.withLock { open in
            let others = open.filter { !places.contains($0.key) }
            for place in others.keys { open[place] = nil }
            return others
        }
        for opened in others.values { await opened.close() }
    }

    private func opened(_ place: TimelinePlace) async throws -> Opened {
        switch place.kind {
        case .embedded:
            // Whoever has it owns the folder: it is closed with that, and not before.
            return Opened(side: side(journal, journal.alarm, place)) {}
        case .redis:
            let redis = try await redis(place)
            return Opened(side: Side(redis, alarm: redis.alarm, mark: place.mark)) {
                await redis.close()
            }
        case .postgres:
            let postgres = try await postgres(place)
            return Opened(side: side(postgres, postgres.alarm, place)) {
                await postgres.close()
            }
        }
    }

    /// What a place that is not on Redis is looked at by.
    private func side(_ engine: any MovableTimeline, _ own: any Alarm, _ place: TimelinePlace)
        -> Side
    {
        let wanted = configuration.timeline
        if wanted.alarm == .keyspace {
            // The settings did not ask for it here: a move has led away from Redis.
            logger.warning(
                "timeline.alarm: keyspace is for pushes on Redis: in \(place.words) it is hints"
            )
        }
        let alarm =
            wanted.alarm == .polling ? PollingAlarm(tick: wanted.tick, clock: clock) : own
        return Side(engine, alarm: alarm, mark: place.mark)
    }

    /// - Throws: ``StartFailure`` where the settings want something to wake delivery that the place which they name has not.
    func checkAlarm(_ arrangement: Arrangement) throws(StartFailure) {
        let place = TimelinePlace(configuration)
        guard configuration.timeline.alarm == .keyspace, place.kind != .redis,
            arrangement == Arrangement(from: place)
        else { return }
        throw StartFailure(
            .misconfigured,
            "timeline.alarm: keyspace is for pushes on Redis, and they are in \(place.words): choose hints or polling, or set timeline.url to a Redis."
        )
    }

    /// The whole address. The configuration's own is taken where it is the same place: its password may be newer.
    func url(_ place: TimelinePlace) async throws -> String {
        let configured = configuration.timeline.url
        if place.seal.isEmpty || (try? TimelinePlace.shown(configured)) == place.shown {
            return configured
        }
        guard let known = try await records.seals.find(place.seal) else {
            throw StartFailure(
                .misconfigured,
                "The pushes are at \(place.words), but the records do not hold the password for it: set timeline.url to it."
            )
        }
        return known.reveal()
    }

    private func redis(_ place: TimelinePlace) async throws -> RedisTimeline {
        let settings = try await settings(place)
        do {
            let redis = try await RedisTimeline.open(
                try RedisAddress(try await url(place)),
                configuration: settings,
                seed: seed
            )
            do {
                for finding in try await redis.audited() {
                    logger.warning("Redis: \(finding)")
                }
                keepRecords()
                try await redis.hold()
            } catch {
                await redis.close()
                throw error
            }
            return redis
        } catch let error as TimelineError { throw Self.failure(error) }
    }

    /// What is wrong with a place on a server, in words that are not about the data folder.
    private static func failure(_ error: TimelineError) -> any Error {
        switch error.code {
        case .invalid: StartFailure(.misconfigured, "timeline.url: \(error.message)")
        case .newerFormat:
            StartFailure(
                .damaged,
                "timeline.url: \(error.message). A newer Belfry wrote them: use that version or a newer one, or another timeline.prefix."
            )
        default: error
        }
    }

    /// Before somebody else knows them by name.
    private func keepRecords() { if !configuration.sharesRecords { folder.keep() } }

    /// Of the records, for whoever holds their pushes.
    private func identity() async throws(RecordsError) -> String {
        try await records.identity(new: UUID().uuidString.lowercased())
    }

    private func settings(_ place: TimelinePlace) async throws -> RedisConfiguration {
        let wanted = configuration.timeline
        var settings = RedisConfiguration(owner: try folder.nodeID())
        settings.records = try await identity()
        settings.prefix = place.prefix
        settings.shards = place.shards
        settings.confirmation.replicas = wanted.replicas
        settings.confirmation.onDisk = wanted.confirm == .disk
        // What servers may lose is kept by shard: another layout has a folder of its own.
        let kept = place.seal.isEmpty ? folder.intents : "\(folder.intents)-\(place.prefix)"
        settings.intents =
            switch wanted.intents {
            case .auto: .whereReplicated(folder: kept)
            case .on: .on(folder: kept)
            case .off: .off
            }
        settings.alarm = wanted.alarm
        settings.tick = wanted.tick
        let logger = logger
        settings.told = { logger.warning("Redis: \($0)") }
        settings.lost = { [losses] shards in
            losses.note(shards.count)
            logger.critical(
                "Redis has lost everything that lay in shards: what was pending there is gone, unless it was just accepted and is done again. New pushes are accepted; see docs/operations.md, 'When Redis has lost its data'",
                metadata: ["place": "\(place.words)", "lost": "\(shards.count)"]
            )
        }
        return settings
    }

    private func postgres(_ place: TimelinePlace) async throws -> PostgresTimeline {
        var settings = PostgresConfiguration(owner: try folder.nodeID())
        settings.schema = place.prefix
        settings.records = try await identity()
        settings.listens = configuration.timeline.alarm != .polling
        do {
            let postgres = try await PostgresTimeline.open(
                try PostgresAddress(try await url(place)),
                configuration: settings,
                seed: seed
            )
            do {
                for finding in try await postgres.audited() {
                    logger.warning("PostgreSQL: \(finding)")
                }
                keepRecords()
                try await postgres.hold()
            } catch {
                await postgres.close()
                throw error
            }
            return postgres
        } catch let error as TimelineError {
            throw Self.failure(error)
        } catch let error as PostgresFailure {
            throw StartFailure(.misconfigured, "timeline.url: \(error.message)")
        }
    }
}
