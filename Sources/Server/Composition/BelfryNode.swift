import BelfryChannels
package import BelfryCore
package import BelfryDelivery
import BelfryJournal
package import BelfryRecords
import BelfryWeChat
package import Logging
import Synchronization

/// One running Belfry: stores, flows, delivery and the HTTP server, put together. The only place where everything is known.
package struct BelfryNode: Sendable {
    package typealias NodeDispatcher = Dispatcher<NodeTimeline, NodeAlarm, BoxedClock>

    package let configuration: ServerConfiguration
    package let clock: any WallClock
    package let logger: Logger
    package let timeline: NodeTimeline
    package let records: Records
    package let accounts: AccountBook
    /// Keeps accounts and topics up with other servers.
    let books: BookFollower
    package let keys: StoredKeys
    package let intake: Intake
    package let dispatcher: NodeDispatcher
    package let feed: LiveFeed
    package let reminders: ReminderDesk
    package let live: LiveConfiguration
    package let moves: TimelineMoves
    let late: LateLines
    /// The first API key, where this start made it.
    package let firstKey: APIKey?
    /// Where each setting came from, for those who ask over the API; empty where nobody loaded it from anywhere.
    package var settings: [LoadedConfiguration.Value] = []
    let folder: DataFolder
    let recordsCheck: RecordsCheck
    let caller: HTTPClientCaller
    let brokers: Brokers
    let registry: PrometheusRegistry
    /// When this process began: what was reserved before it was reserved by one that crashed.
    let began: Timestamp
    let reports: NoticeReports
    package let mover: RecordsMover

    /// Puts together what ``open(_:clock:logger:seed:)`` has opened.
    ///
    /// - Throws: as it does.
    init(
        _ configuration: ServerConfiguration,
        folder: DataFolder,
        clock: any WallClock,
        timeline: NodeTimeline,
        arrangement: Arrangement,
        records: Records,
        seed: UInt64,
        logger: Logger
    ) async throws {
        self.configuration = configuration
        self.folder = folder
        self.clock = clock
        self.logger = logger
        self.records = records
        began = clock.now()
        recordsCheck = RecordsCheck(records: records, clock: clock, logger: logger)
        registry = PrometheusRegistry()
        feed = LiveFeed()
        live = LiveConfiguration(records: records, clock: clock, node: try folder.nodeID())
        mover = RecordsMover(
            configuration,
            file: folder.records,
            records: records,
            live: live,
            clock: clock,
            logger: logger
        )
        if let place = records.cutOffMove {
            logger.warning(
                "a move of the records was cut off: they are in force where they were, and what it has written to the other place is of no use; the next move clears it",
                metadata: ["to": "\(place)"]
            )
        }
        live.tell(shards: { [timeline] in timeline.ownedShards })
        try await live.takeUp()
        try await live.beat()
        var timeline = timeline
        timeline.live = live
        self.timeline = timeline
        moves = TimelineMoves(
            arrangement,
            timeline.base,
            timeline.places,
            records: records,
            configuration: configuration,
            live: live,
            node: try folder.nodeID(),
            clock: clock,
            logger: logger
        )
        // Nobody is served before this server is one of those whom a move waits for, nor before what a crash has left between two timelines is in one.
        try await moves.begin()
        accounts = AccountBook(records: records)
        let topics = TopicBook()
        let bell = MoverBell()
        books = BookFollower(
            records: records,
            accounts: accounts,
            topics: topics,
            bell: bell,
            logger: logger
        )
        try await books.begin()
        try await accounts.countToday(now: clock.now())
        keys = StoredKeys(records: records, clock: clock)
        if configuration.http.auth == .keys {
            try await Self.checkOwners(configuration, timeline.journal, records)
        }
        firstKey =
            configuration.http.auth == .keys
            ? try await keys.makeFirst {
                try DataFolder.writePrivate(
                    $0.text + "\n",
                    to: configuration.adminKeyFile,
                    setting: "data.folder"
                )
            } : nil
        // What was made or read back from the log until here is what all else hangs on.
        await records.foldLog()
        let reports = NoticeReports(records: records, feed: feed)
        self.reports = reports
        late = LateLines(records: records, feed: feed, logger: logger)
        let arrivals = ArrivalBook()
        intake = Intake(
            accounts: accounts,
            records: records,
            timeline: timeline,
            clock: clock,
            feed: feed,
            arrivals: arrivals
        )
        // Waiting for a connection must end before a call does: only then it is known that nothing was sent.
        let patience = min(configuration.wechat.timeout, configuration.webhook.timeout)
        caller = HTTPClientCaller(connectTimeout: min(.seconds(5), patience / 2))
        brokers = try Brokers(configuration, clock: clock, seed: seed)
        let boarding = BoardingBook()
        let reminders = ReminderDesk(
            topics: topics,
            bell: bell,
            books: books,
            records: records,
            timeline: timeline,
            clock: clock,
            feed: feed
        )
        self.reminders = reminders
        dispatcher = NodeDispatcher(
            timeline: timeline,
            alarm: timeline.alarm,
            clock: BoxedClock(clock),
            channels: BelfryNode.channels(
                configuration,
                folder: folder,
                accounts: accounts,
                records: records,
                caller: caller,
                brokers: brokers,
                live: live,
                clock: clock
            ),
            gate: PausedPushes(
                base: PermissionGate(
                    accounts: accounts,
                    records: records,
                    boarding: boarding,
                    reminders: ReminderGate(
                        topics: reminders.topics,
                        book: reminders.book,
                        records: records,
                        accounts: accounts,
                        books: books,
                        isPaused: { [live] in live.settings.pausedTopics[$0] != nil }
                    ),
                    books: books,
                    arrivals: arrivals,
                    process: ReservationMaker(node: live.node, began: began),
                    logger: logger
                ),
                live: live
            ),
            limits: BookLimits(accounts: accounts, live: live),
            sequel: FlowSequel(accounts: accounts, boarding: boarding),
            recorder: HistoryRecorder(
                accounts: accounts,
                records: records,
                boarding: boarding,
                reminders: reminders.book,
                reports: reports,
                feed: feed,
                logger: logger
            ),
            settings: DispatcherSettings(configuration),
            seed: seed,
            logger: logger
        )
        // Whoever clears the pause of an account also ends the stop that a channel asked for.
        accounts.watch { [dispatcher] account in
            if account.record.paused == nil { dispatcher.resume(account.key) }
        }
        let usual = DispatcherSettings(configuration)
        live.watch { [dispatcher] settings in
            dispatcher.pace(
                claimBatch: settings.batch ?? usual.claimBatch,
                sweep: settings.sweep ?? usual.sweep
            )
            dispatcher.overload(OverloadPolicy(configuration.overload, live: settings))
        }
    }
}
