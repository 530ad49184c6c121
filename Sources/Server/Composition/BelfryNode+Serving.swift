import BelfryCore
import BelfryDelivery
import BelfryRecords

extension BelfryNode {
    /// What the HTTP side needs.
    func dependencies(_ demonstration: Demonstration?) -> ServerDependencies {
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
            demonstration: demonstration,
            version: Belfry.version
        )
        dependencies.settings = settings
        dependencies.catchUp = { [books] in try await books.catchUp() }
        dependencies.live = live
        dependencies.overload = { [dispatcher] in dispatcher.overload }
        dependencies.openCircuits = { [dispatcher] in dispatcher.openCircuits(of: $0) }
        dependencies.mover = mover
        dependencies.moves = moves
        dependencies.lostShards = { [losses = timeline.places.losses] in losses.shards }
        let backups = BackupDesk(configuration, timeline.journal, records)
        dependencies.backup = { try await backups.write(to: $0) }
        return dependencies
    }
}
