import BelfryCore
import Logging
import Synchronization

extension Dispatcher {
    /// Starts shipments until the run is to end: stopped and drained, out of time, failed, or cancelled.
    func keepStarting(in group: inout DiscardingTaskGroup) async {
        do {
            while true {
                try await startBell.wait()
                refreshLimits(of: EmptyCollection())
                let now = clock.now()
                let (departing, tokens, isWatched, isOver) = desk.withLock { desk in
                    (desk.depart(now), desk.nextTokens(now), desk.isWatched(now), desk.isOver)
                }
                if isOver { return }
                // What has departed may have made room for a claim.
                if desk.withLock({ $0.isBeyondReach && $0.mayUnblock }) { lookBell.ring() }
                if isWatched { watchBell.ring() }
                for shipment in departing {
                    group.addTask { await self.ship(shipment) }
                }
                if tokens != nil { paceBell.ring() }
                // A pause may have emptied lanes.
                recordBell.ring()
            }
        } catch {
            // Cancelled: the run ends.
        }
    }

    /// Rings when an account that was short of tokens has some again.
    func keepPacing() async {
        do {
            while true {
                try await paceBell.wait()
                let clock = clock
                while let tokens = desk.withLock({ $0.nextTokens(clock.now()) }) {
                    // What could go has gone: a time that has come already is no reason to spin.
                    let time = max(tokens, clock.now() + .milliseconds(1))
                    try await firstOf(
                        { () async throws(CancellationError) in try await clock.sleep(until: time)
                        },
                        { () async throws(CancellationError) in try await self.paceBell.wait() }
                    )
                    if clock.now() >= time {
                        startBell.ring()
                        break
                    }
                }
            }
        } catch {
            // Cancelled: the run ends.
        }
    }

    /// Hands one shipment to its channel and puts down what became of it.
    private func ship(_ shipment: Shipment) async {
        let started = clock.now()
        var closings: [Closing] = []
        var stop: SendCause?
        let parcels = await stillWanted(shipment.parcels, started, &closings)
        let sentAt = clock.now()
        if !parcels.isEmpty, let channel = channels[shipment.channel] {
            meters.handedOver(parcels.count)
            let outcomes = await channel.send(parcels.map(\.message))
            let arrived = clock.now()
            let verdict = Verdict(
                retry: settings.retry,
                sequel: sequel,
                unknown: shipment.unknown,
                endpoint: shipment.endpoint,
                circuit: circuit(after: outcomes, of: shipment, arrived),
                sentAt: sentAt,
                now: arrived
            )
            var random = SplitMix64(seed: shipment.seed)
            closings.reserveCapacity(parcels.count)
            for (index, parcel) in parcels.enumerated() {
                let outcome =
                    index < outcomes.count
                    ? outcomes[index] : .unknown(cause: DeliveryCauses.silent)
                closings.append(verdict.closing(parcel, outcome, using: &random))
            }
            stop = newStop(shipment.account, outcomes)
        }
        let now = clock.now()
        let done = closings
        desk.withLock { $0.arrived(shipment.number, at: now, done) }
        settleBell.ring()
        recordBell.ring()
        startBell.ring()
        if let stop {
            await recorder.alert(.accountStopped(account: shipment.account, cause: stop))
        }
    }

    /// - Returns: the circuit of the shipment's endpoint, if it is open now.
    private func circuit(
        after outcomes: [SendOutcome],
        of shipment: Shipment,
        _ now: Timestamp
    ) -> CircuitState.Open? {
        let (open, change) = desk.withLock { $0.answered(shipment, outcomes, at: now) }
        switch change {
        case .opened(let open):
            logger.warning(
                "a circuit opens: nothing is sent there until somebody answers",
                metadata: [
                    "endpoint": "\(shipment.endpoint)", "cause": "\(open.cause.message)",
                    "remedy": "\(open.cause.remedy)",
                ]
            )
        case .closed(let since):
            logger.notice(
                "a circuit closes: somebody answers again",
                metadata: ["endpoint": "\(shipment.endpoint)", "after": "\(now - since)"]
            )
        case nil: break
        }
        return open
    }

    /// The last look before the message is gone: what has expired, or was cancelled or replaced while it waited here, is not sent.
    private func stillWanted(_ parcels: [Parcel], _ now: Timestamp, _ closings: inout [Closing])
        async -> [Parcel]
    {
        var wanted = parcels
        if parcels.contains(where: { $0.claim.push.isExpired(now) }) {
            closings += parcels.filter { $0.claim.push.isExpired(now) }.map {
                expired($0.claim, now)
            }
            wanted = parcels.filter { !$0.claim.push.isExpired(now) }
        }
        let steady = clock.steadyMilliseconds()
        let confirmAfter = settings.confirmAfter.milliseconds
        let old = wanted.filter { steady - $0.confirmed >= confirmAfter }
        guard !old.isEmpty else { return wanted }
        let answers: [ExtendOutcome]
        do {
            answers = try await timeline.extend(old.map(\.claim.token), lease: settings.lease)
        } catch {
            // Not known to be cancelled; what is surely still lent to us goes.
            logger.error("renewal before sending failed: \(error)")
            let count = wanted.count
            let lease = settings.lease.milliseconds
            wanted.removeAll { $0.confirmed + lease <= steady + 1_000 }
            forget(count - wanted.count)
            return wanted
        }
        let verdicts = Dictionary(zip(old.map(\.claim.token), answers)) { first, _ in first }
        var lost = 0
        wanted.removeAll { parcel in
            switch verdicts[parcel.claim.token] {
            case nil, .extended: return false
            case .extendedSuperseded:
                closings.append(.withdrawn(parcel, at: now))
                return true
            case .stale:
                lost += 1
                return true
            }
        }
        forget(lost)
        return wanted
    }

    /// So many claims have gone, or are going, to somebody else: they are not settled.
    private func forget(_ count: Int) {
        guard count > 0 else { return }
        desk.withLock { $0.inFlight -= count }
        meters.lost(count)
        lookBell.ring()
    }

    /// Stops the account if the channel says so.
    ///
    /// - Returns: the cause, if it was not stopped before.
    private func newStop(_ account: String, _ outcomes: [SendOutcome]) -> SendCause? {
        guard
            let cause = outcomes.lazy.compactMap({ outcome -> SendCause? in
                if case .stopAccount(let cause) = outcome { cause } else { nil }
            }).first
        else { return nil }
        let now = clock.now()
        let isNew = desk.withLock { desk in
            let isNew = desk.stopped(account) == nil
            desk.stop(account, Pause(cause: cause), now: now)
            return isNew
        }
        guard isNew else { return nil }
        logger.warning("account \(account) is stopped by its channel: \(cause.code)")
        return cause
    }

    // MARK: Leases

    /// Looks three times in a lease at what is held, and renews what would have had more than half of one by the next time.
    func keepLeases() async {
        let third = Duration.milliseconds(max(1, settings.lease.milliseconds / 3))
        do {
            while true {
                // With nothing held there is nothing to renew, and no reason to wake.
                while desk.withLock({ $0.inFlight }) == 0 { try await leaseBell.wait() }
                try await clock.sleep(for: third)
                let old = clock.steadyMilliseconds() - third.milliseconds / 2
                var rest = desk.withLock { $0.unconfirmed(since: old) }[...]
                while !rest.isEmpty {
                    let tokens = Array(rest.prefix(PushLimits.batchPushes))
                    rest = rest.dropFirst(tokens.count)
                    do {
                        let steady = clock.steadyMilliseconds()
                        let answers = try await timeline.extend(tokens, lease: settings.lease)
                        renewed(at: steady, Dictionary(zip(tokens, answers)) { first, _ in first })
                    } catch {
                        // Tried again in a third of a lease; until the lease ends nothing is lost.
                        logger.error("renewal of \(tokens.count) leases failed: \(error)")
                    }
                }
            }
        } catch {
            // Cancelled: the run ends.
        }
    }

    private func renewed(at steady: Int64, _ answers: [ClaimToken: ExtendOutcome]) {
        let now = clock.now()
        forget(desk.withLock { $0.confirmed(answers, now: now, steady: steady) })
        settleBell.ring()
    }
}
