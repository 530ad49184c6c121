import BelfryChannels
import BelfryCore
import BelfryDelivery
import BelfryRecords
package import ServiceLifecycle
import Synchronization
package import UnixSignals

extension BelfryNode {
    /// The long-lived parts in the order they start; they stop in the reverse order.
    ///
    /// - Parameter listening: called with the port when the HTTP server accepts connections.
    package func services(
        demonstration: Demonstration? = nil,
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
            HTTPService(dependencies(demonstration), listening: listening),
        ]
    }

    /// Runs until asked to stop by a signal or until a service fails.
    package func run(
        signals: [UnixSignal] = [.sigterm, .sigint],
        demonstration: Demonstration? = nil,
        listening: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
    ) async throws {
        let hasListened = Mutex(false)
        let services = services(demonstration: demonstration) { port in
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

    /// Closes what ``open(_:clock:logger:seed:)`` opened, where ``run(signals:demonstration:listening:)`` was never called.
    package func close() async {
        await caller.shutdown()
        await brokers.close()
        await records.close()
        await timeline.close()
    }

    /// What must be well, the timeline aside, which is asked itself.
    package func checks() async -> [Check] {
        Check.all(accounts: accounts, delivery: dispatcher.snapshot())
            + [
                recordsCheck.check, DiskRoom(folder: folder.path).check, await damageCheck(),
                timeline.places.losses.check,
            ]
            + brokers.checks
    }
}
