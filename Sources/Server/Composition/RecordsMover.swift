import BelfryCore
import BelfryPostgresClient
package import BelfryRecords
import Logging
import ServiceLifecycle
import Synchronization

/// Moves the records to another place while the server goes on, one move at a time, asked for over the API.
package final class RecordsMover: Service {
    /// How a move stands, or how the last one ended.
    package struct Status: Sendable {
        package enum Phase: String, Sendable {
            /// Nobody has asked for a move since the start, and none was cut off by it.
            case none
            case moving, moved, failed
        }

        /// Where the records lie, without a password.
        package var place: String
        package var phase = Phase.none
        package var target: String?
        package var step: RecordsMove.Step?
        package var report: RecordsMove.Report?
        package var error: String?
    }

    private let records: Records
    private let live: LiveConfiguration
    private let configuration: ServerConfiguration
    private let file: String
    private let clock: any WallClock
    private let logger: Logger
    private let state: Mutex<Status>
    private let (requests, asked) = AsyncStream.makeStream(of: Records.Place.self)
    /// Told of every move that has ended well.
    let (moves, moved) = AsyncStream.makeStream(
        of: Void.self,
        bufferingPolicy: .bufferingNewest(1)
    )

    /// - Parameter file: where records in the data folder lie.
    init(
        _ configuration: ServerConfiguration,
        file: String,
        records: Records,
        live: LiveConfiguration,
        clock: any WallClock,
        logger: Logger
    ) {
        self.records = records
        self.live = live
        self.configuration = configuration
        self.file = file
        self.clock = clock
        self.logger = logger
        // Its address was read when it was opened.
        let postgres = try? PostgresAddress(configuration.records.url)
        let place =
            postgres.map { Records.Place.postgres($0, schema: configuration.recordsSchema) }
            ?? .file(file)
        var status = Status(place: place.name)
        if let target = records.cutOffMove {
            (status.phase, status.target) = (.failed, target)
            status.error = "the server ended before the move had; the records stayed"
        }
        state = Mutex(status)
    }

    package var status: Status { state.withLock { $0 } }

    /// Begins a move; ``status`` tells how it goes on.
    ///
    /// - Parameter text: `sqlite`, or an address of PostgreSQL.
    /// - Throws: ``Problem`` where it cannot begin.
    package func begin(to text: String) throws(Problem) {
        let place = try place(text)
        let busy = state.withLock { state -> Problem? in
            guard state.phase != .moving else {
                return Problem(.conflict, "The records are on their way to \(state.target ?? "").")
            }
            guard state.place != place.name else {
                return .invalid("/to", "the records are there already: \(place.name)")
            }
            (state.phase, state.target) = (.moving, place.name)
            (state.step, state.report, state.error) = (nil, nil, nil)
            return nil
        }
        if let busy { throw busy }
        asked.yield(place)
    }

    private func place(_ text: String) throws(Problem) -> Records.Place {
        if text == "sqlite" { return .file(file) }
        guard PostgresAddress.isOne(text) else {
            throw .invalid("/to", "must be 'sqlite' (the data folder's own file) or postgres://…")
        }
        do throws(PostgresFailure) {
            return .postgres(try PostgresAddress(text), schema: configuration.recordsSchema)
        } catch { throw .invalid("/to", error.message) }
    }

    // MARK: Moving

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            for await place in self.requests { await self.move(to: place) }
        }
        // Cancelled instead of asked: a move that was under way has been given up.
        try? await gracefulShutdown()
    }

    private func move(to place: Records.Place) async {
        let here = status.place
        let words: Logger.Metadata = ["from": "\(here)", "to": "\(place.name)"]
        logger.notice("the records are moving", metadata: words)
        do {
            try await requireAlone()
            let report = try await records.move(
                to: place,
                from: here,
                mayFinish: { try await self.requireAlone() },
                reached: { step in self.state.withLock { $0.step = step } }
            )
            state.withLock { state in
                (state.phase, state.place, state.report) = (.moved, place.name, report)
            }
            moved.yield()
            logger.notice(
                "the records have moved: set records.url to where they are before the next start",
                metadata: words.merging(["held": "\(report.held.milliseconds) ms"]) { $1 }
            )
            try await live.announce()
        } catch {
            state.withLock { state in
                guard state.phase == .moving else { return }
                (state.phase, state.error) = (.failed, "\(error)")
            }
            logger.error(
                "the records could not be moved; they stay where they are",
                metadata: words.merging(["error": "\(error)"]) { $1 }
            )
        }
    }

    /// Servers that share the records would go on writing to the old place.
    private func requireAlone() async throws {
        let others = try await live.others()
        guard others.isEmpty else {
            throw RecordsError(
                .conflict,
                "other servers use these records (\(others.joined(separator: ", "))): stop them first; one that was killed is forgotten after \(DurationText.inOneUnit(LiveConfiguration.silence))"
            )
        }
    }
}
