import BelfryChannels
package import BelfryCore
package import BelfryDelivery
import BelfryJournal
package import BelfryRecords
import BelfryWeChat
package import Logging
package import ServiceLifecycle
import Synchronization
package import UnixSignals

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
    private let late: LateLines
    /// The first API key, where this start made it.
    package let firstKey: APIKey?
    /// Where each setting came from, for those who ask over the API; empty where nobody loaded it from anywhere.
    package var settings: [LoadedConfiguration.Value] = []
    private let folder: DataFolder
    private let recordsCheck: RecordsCheck
    private let caller: HTTPClientCaller
    private let brokers: Brokers
    private let registry: PrometheusRegistry
    /// When this process began: what was reserved before it was reserved by one that crashed.
    private let began: Timestamp
    private let reports: NoticeReports
    package let mover: RecordsMover

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
        let places = OpenPlaces(configuration, folder, journal, records, seed: seed, logger: logger)
        do {
            let arrangement = try await TimelineMoves.newest(records, configuration)
            TimelineMoves.tell(arrangement, configuration, logger)
            let timeline = try await NodeTimeline.open(
                arrangement,
                places,
                journal,
                hand: RecordedHand(records: records, isShared: configuration.sharesRecords),
                clock: clock
            )
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

    private init(
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

    private static func channels(
        _ configuration: ServerConfiguration,
        folder: DataFolder,
        accounts: AccountBook,
        records: Records,
        caller: HTTPClientCaller,
        brokers: Brokers,
        live: LiveConfiguration,
        clock: any WallClock
    ) -> [any Channel] {
        let concurrency: @Sendable () -> Int = {
            live.settings.concurrency ?? configuration.delivery.concurrency
        }
        let senders = SenderShelf(
            accounts: accounts,
            caller: caller,
            clock: clock,
            base: WeChatBaseURL(configuration.wechat.baseURL),
            timeout: configuration.wechat.timeout,
            mediaFolder: folder.media,
            cache: StoredMedia(records: records)
        )
        let guardian = WebhookGuard(
            allowed: WebhookGuard.Allowed(configuration.webhook.allow),
            clock: clock
        )
        let timeout = configuration.webhook.timeout
        let wechat = WeChatInterface.allCases.map { interface in
            WeChatChannel(
                interface,
                clock: clock,
                concurrency: concurrency
            ) { senders[$0] }
        }
        return wechat + [
            WebhookChannel(
                caller: caller,
                guardian: guardian,
                clock: clock,
                concurrency: concurrency
            ) { accounts[$0]?.webhookTarget(timeout: timeout) },
            LogChannel(path: "\(folder.path)/log-channel.ndjson", clock: clock),
            NullChannel(),
        ] + brokers.channels
    }

    /// The long-lived parts in the order they start; they stop in the reverse order.
    ///
    /// - Parameter listening: called with the port when the HTTP server accepts connections.
    package func services(
        simulateFollow: (@Sendable () async throws -> Void)? = nil,
        listening: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
    ) -> [any Service] {
        [
            StoreService { [caller, brokers, records, timeline, late] in
                await caller.shutdown()
                await brokers.close()
                await late.finish()
                await records.close()
                await timeline.close()
            },
            recordsCheck,
            TimelineMovesService(moves: moves),
            RetentionService(
                records: records,
                kept: KeptReservations(
                    records: records,
                    timeline: timeline,
                    accounts: accounts
                ),
                clock: clock,
                settings: configuration.records,
                logger: logger
            ),
            InterruptedSendsService(
                sends: InterruptedSends(
                    records: records,
                    timeline: timeline,
                    clock: clock,
                    feed: feed,
                    live: live,
                    began: began,
                    logger: logger
                )
            ),
            DeliveryService(
                dispatcher: dispatcher,
                drain: configuration.delivery.drainTimeout
            ),
            PresenceService(timeline: timeline, clock: clock),
            LiveConfigurationService(
                live: live,
                books: books,
                records: records,
                mover: mover,
                every: configuration.records.pollInterval,
                logger: logger
            ),
            mover,
            IntakeService(intake: intake),
            ReminderMover(
                desk: reminders,
                lead: Lead("reminders", node: moves.node, records: records, clock: clock),
                clock: clock,
                logger: logger
            ),
            HTTPService(dependencies(simulateFollow: simulateFollow), listening: listening),
        ]
    }

    /// Runs until asked to stop by a signal or until a service fails.
    package func run(
        signals: [UnixSignal] = [.sigterm, .sigint],
        simulateFollow: (@Sendable () async throws -> Void)? = nil,
        listening: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
    ) async throws {
        let hasListened = Mutex(false)
        let services = services(simulateFollow: simulateFollow) { port in
            hasListened.withLock { $0 = true }
            await listening(port)
        }
        var settings = ServiceGroupConfiguration(
            services: services,
            gracefulShutdownSignals: signals,
            logger: logger
        )
        settings.maximumGracefulShutdownDuration =
            configuration.delivery.drainTimeout + .seconds(10)
        do { try await ServiceGroup(configuration: settings).run() } catch {
            if !hasListened.withLock({ $0 }) { folder.discard() }
            throw error
        }
    }

    /// Closes what ``open(_:clock:logger:seed:)`` opened, where ``run(signals:simulateFollow:listening:)`` was never called.
    package func close() async {
        await caller.shutdown()
        await brokers.close()
        await records.close()
        await timeline.close()
    }

    /// What must be well, the timeline aside, which is asked itself.
    package func checks() async -> [Check] {
        Check.all(accounts: accounts, delivery: dispatcher.snapshot())
            + [recordsCheck.check, DiskRoom(folder: folder.path).check, await damageCheck()]
            + brokers.checks
    }

    // MARK: What the HTTP side needs

    private func dependencies(simulateFollow: (@Sendable () async throws -> Void)?)
        -> ServerDependencies
    {
        let desk = CallbackDesk(
            accounts: accounts,
            books: books,
            intake: intake,
            reports: reports,
            clock: clock,
            logger: logger
        )
        var dependencies = ServerDependencies(
            configuration: configuration,
            timeline: timeline,
            records: records,
            clock: clock,
            logger: logger,
            registry: registry,
            keys: keys,
            reading: { [dispatcher, records, clock, timeline] in
                let snapshot = dispatcher.snapshot()
                var reading = DeliveryReading(snapshot)
                // Counted within a second, or what delivery knows of the last minute has to do.
                async let failures = try? within(.seconds(1), clock) {
                    await records.failures(inHourBefore: clock.now())
                }
                // A timeline that does not answer makes the server not ready; here what delivery holds has to do.
                reading.dueNow =
                    (try? await within(.milliseconds(1500), clock) {
                        try await DeliveryReading.dueNow(
                            in: timeline,
                            inFlight: snapshot.inFlight,
                            putBack: snapshot.putBack,
                            now: snapshot.now
                        )
                    }) ?? reading.dueNow
                reading.failedLastHour = await failures ?? reading.failedLastHour
                return reading
            },
            feed: feed,
            callback: { await desk.answer($0) },
            report: { [intake, records, accounts] in
                try await $0.take(by: intake, records, accounts)
            },
            accounts: accounts,
            linkFollowed: { [records, clock, logger] in
                await $0.noteClick(in: records, at: clock.now(), logger)
            },
            channels: Self.channelNames,
            isAccount: { [accounts] in accounts[$0] != nil },
            channelProblem: { [accounts, brokers] in
                brokers.problem(with: $1) ?? accounts[$0]?.problem(with: $1)
            },
            payloadProblem: Self.payloadProblem,
            uncheckedChannels: ["webhook", "rabbitmq", "redis-stream", "log", "null"],
            reminders: reminders,
            late: late,
            checks: { await checks() },
            simulateFollow: simulateFollow,
            version: Belfry.version
        )
        dependencies.settings = settings
        dependencies.catchUp = { [books] in try await books.catchUp() }
        dependencies.live = live
        dependencies.overload = { [dispatcher] in dispatcher.overload }
        dependencies.openCircuits = { [dispatcher] in dispatcher.openCircuits(of: $0) }
        dependencies.mover = mover
        dependencies.moves = moves
        let backups = BackupDesk(configuration, timeline.journal, records)
        dependencies.backup = { try await backups.write(to: $0) }
        return dependencies
    }

    /// What pushes and steps of flows may name.
    static let channelNames = Set(
        WeChatInterface.allCases.map(\.rawValue)
            + ["webhook", "rabbitmq", "redis-stream", "log", "null"]
    )

    /// What is wrong with a payload for a channel; `nil` where it can be sent.
    @Sendable package static func payloadProblem(channel: String, payload: [UInt8]) -> String? {
        guard let interface = WeChatInterface(rawValue: channel) else { return nil }
        do {
            try interface.check(json: payload)
            return nil
        } catch {
            return "\(error)"
        }
    }
}

/// What this program is.
package enum Belfry {
    package static let version = "0.1.0"
}

extension SystemRandomNumberGenerator {
    /// A seed for what need only be different each time, like jitter.
    package static func seed() -> UInt64 {
        var random = SystemRandomNumberGenerator()
        return random.next()
    }
}
