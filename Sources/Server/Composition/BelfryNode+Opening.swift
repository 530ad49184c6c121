package import BelfryCore
import BelfryJournal
import BelfryRecords
package import Logging

extension BelfryNode {
    /// Opens the data folder and everything in it, and starts nothing yet.
    ///
    /// - Throws: ``StartFailure``, ``TimelineError`` or `RecordsError`: what is wrong and what to do.
    package static func open(
        _ configuration: ServerConfiguration,
        clock: any WallClock = SystemClock(),
        logger: Logger,
        seed: UInt64 = SystemRandomNumberGenerator.seed()
    ) async throws -> BelfryNode {
        let folder = try DataFolder(path: configuration.data.folder)
        try folder.checkLog()
        try folder.checkTimeline()
        do {
            // Whoever has the journal owns the folder; the records say where the pushes are.
            let journal = try await NodeTimeline.journal(
                configuration,
                in: folder,
                clock: clock,
                logger: logger
            )
            do {
                let records = try await records(configuration, folder, clock)
                do {
                    return try await open(
                        configuration,
                        folder,
                        journal,
                        records,
                        clock: clock,
                        seed: seed,
                        logger: logger
                    )
                } catch {
                    await records.close()
                    throw error
                }
            } catch {
                await journal.close()
                throw error
            }
        } catch {
            folder.discard()
            throw error
        }
    }

    private static func open(
        _ configuration: ServerConfiguration,
        _ folder: DataFolder,
        _ journal: JournalTimeline,
        _ records: Records,
        clock: any WallClock,
        seed: UInt64,
        logger: Logger
    ) async throws -> BelfryNode {
        let places = OpenPlaces(
            configuration,
            folder,
            journal,
            records,
            clock: clock,
            seed: seed,
            logger: logger
        )
        do {
            let arrangement = try await TimelineMoves.newest(records, configuration)
            try places.checkAlarm(arrangement)
            TimelineMoves.tell(arrangement, configuration, logger)
            let timeline = try await NodeTimeline.open(
                arrangement,
                places,
                journal,
                hand: RecordedHand(records: records, isShared: configuration.sharesRecords),
                clock: clock
            )
            logger.info("the timeline is open", metadata: ["place": "\(arrangement.words)"])
            try folder.notePlaces(configuration)
            return try await BelfryNode(
                configuration,
                folder: folder,
                clock: clock,
                timeline: timeline,
                arrangement: arrangement,
                records: records,
                seed: seed,
                logger: logger
            )
        } catch {
            await places.keep([])
            throw error
        }
    }
}
