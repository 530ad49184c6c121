import BelfryCore
import BelfryDelivery
import BelfryJournal
import BelfryRecords
import Logging
import ServiceLifecycle

/// Closes the stores when everything that uses them has stopped: services stop in the reverse of their order, and this is the first.
struct StoreService: Service {
    let close: @Sendable () async -> Void

    func run() async throws {
        // Cancelled instead of asked: the stores are closed all the same.
        try? await gracefulShutdown()
        await close()
    }
}

/// Takes in what people do until asked to stop; what waits then is still worked on.
struct IntakeService: Service {
    let intake: Intake

    func run() async throws {
        await cancelWhenGracefulShutdown { await intake.run() }
    }
}

/// Delivers until asked to stop, then finishes what is in flight.
struct DeliveryService<Engine: Timeline, Hint: Alarm, Time: WallClock>: Service {
    let dispatcher: Dispatcher<Engine, Hint, Time>
    let drain: Duration

    func run() async throws {
        try await withGracefulShutdownHandler {
            try await dispatcher.run()
        } onGracefulShutdown: {
            dispatcher.stop(within: drain)
        }
    }
}

/// Tells others on the same Redis every few seconds that this process is there, so that they leave it its shards, and take them soon after it has gone.
struct PresenceService: Service {
    let timeline: NodeTimeline
    let clock: any WallClock

    func run() async throws {
        await cancelWhenGracefulShutdown {
            // Cancelled while it sleeps: that is how it ends.
            while (try? await clock.sleep(for: .seconds(5))) != nil { await timeline.beat() }
        }
        // Cancelled instead of asked: there is nothing to finish.
        try? await gracefulShutdown()
    }
}

/// Looks for what other servers over the same records have set, and for accounts, flows and topics that they have written.
struct LiveConfigurationService: Service {
    let live: LiveConfiguration
    let books: BookFollower
    let records: Records
    let mover: RecordsMover
    /// Zero: they are not looked for.
    let every: Duration
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            // Records in the data folder have no other users, unless they move.
            if !records.isShared { for await _ in mover.moves where records.isShared { break } }
            await live.follow(every: every, books: books) {
                logger.error(
                    "what was set while running is not known",
                    metadata: ["error": "\($0)"]
                )
            }
        }
        // Cancelled instead of asked: there is nothing to finish.
        try? await gracefulShutdown()
        // Where that cannot be said, others find out by its silence.
        try? await live.leave()
    }
}

/// Follows and carries out moves between timelines until asked to stop.
struct TimelineMovesService: Service {
    let moves: TimelineMoves

    func run() async throws {
        await cancelWhenGracefulShutdown {
            // Cancelled: whoever leads next, or the next start, goes on.
            try? await moves.run()
        }
        // Cancelled instead of asked: there is nothing to finish.
        try? await gracefulShutdown()
        await moves.leave()
    }
}

/// Explains once what an earlier process left open, beside everything else, and then only waits for the stop.
struct InterruptedSendsService: Service {
    let sends: InterruptedSends

    func run() async throws {
        await cancelWhenGracefulShutdown {
            // Cancelled: the next start explains the rest.
            try? await sends.run()
        }
        // Cancelled instead of asked: there is nothing to finish.
        try? await gracefulShutdown()
    }
}

/// Removes what has been kept long enough, a bounded number of rows at a time.
struct RetentionService: Service {
    let records: Records
    let kept: KeptReservations
    let clock: any WallClock
    let settings: ServerConfiguration.Records
    let logger: Logger

    private var rules: RetentionRules {
        var rules = RetentionRules()
        rules.life[.deliveries] = settings.retention
        return rules
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    try await clock.sleep(for: settings.purgeInterval)
                    try await kept.sweep()
                    try await records.purge(rules, limit: settings.purgeRowsMax)
                } catch is CancellationError {
                    return
                } catch {
                    logger.error("purge failed", metadata: ["error": "\(error)"])
                }
            }
        }
    }
}
