import BelfryCore
import Logging
import Synchronization

extension Dispatcher {
    /// Claims whenever the alarm, the sweep or free room says so.
    func keepLooking() async {
        var failures = 0
        // Nothing is known yet: the first look is at once.
        var nextDue: Timestamp? = .distantPast
        var fruitless = 0
        var looked = clock.steadyMilliseconds()
        do {
            while true {
                if desk.withLock({ $0.mayLook }) == false {
                    // Hints that come meanwhile are not heard: look at once when there is room.
                    nextDue = .distantPast
                    watchBell.ring()
                    try await awaitRoom(since: looked)
                    continue
                }
                if let due = nextDue, due <= clock.now() {
                    // More is due already.
                } else {
                    try await awaitHint(nextDue: nextDue, fruitless: fruitless)
                }
                guard let look = desk.withLock({ $0.claim() }) else { continue }
                do {
                    let steady = clock.steadyMilliseconds()
                    let batch = try await timeline.claim(
                        limit: look.limit,
                        lease: settings.lease,
                        deferring: look.deferral
                    )
                    failures = 0
                    looked = steady
                    fruitless = batch.claims.isEmpty && batch.nextDue == nextDue ? fruitless + 1 : 0
                    nextDue = batch.nextDue
                    if await claimed(batch, by: look, lentAt: steady) { nextDue = .distantPast }
                    if batch.claims.isEmpty, let due = batch.nextDue, due <= batch.now {
                        // Due by its own word, and yet nothing came: not a reason to spin.
                        try await clock.sleep(
                            for: .milliseconds(min(1 << min(fruitless, 10), 1000))
                        )
                    }
                } catch let error as TimelineError {
                    failures += 1
                    // Others that share the timeline may be in no trouble: not for long.
                    try await pause(after: error, min(failures, 4), "claim")
                }
            }
        } catch {
            // Cancelled: the run ends.
        }
    }

    /// Waits for room; where only enough for a while is held, not for long.
    private func awaitRoom(since looked: Int64) async throws(CancellationError) {
        guard desk.withLock({ $0.isBeyondReach }) else { return try await lookBell.wait() }
        let waited = Duration.milliseconds(clock.steadyMilliseconds() - looked)
        guard waited < Reach.patience else { return desk.withLock { $0.isImpatient = true } }
        let clock = clock
        try await firstOf(
            { () async throws(CancellationError) in
                try await clock.sleep(for: Reach.patience - waited)
            },
            { () async throws(CancellationError) in try await self.lookBell.wait() }
        )
    }

    /// Waits for the alarm or the bell. An alarm that rings again and again for nothing is listened to less and less, down to
    /// once a second, but never past the time at which something is known to be due.
    private func awaitHint(nextDue: Timestamp?, fruitless: Int) async throws(CancellationError) {
        if fruitless > 2 {
            let pause = clock.now() + .milliseconds(min(1 << min(fruitless, 10), 1000))
            let until = min(pause, nextDue ?? .distantFuture)
            let clock = clock
            try await firstOf(
                { () async throws(CancellationError) in try await clock.sleep(until: until) },
                { () async throws(CancellationError) in try await self.lookBell.wait() }
            )
        }
        try await firstOf(
            { () async throws(CancellationError) in try await self.alarm.wait(nextDue: nextDue) },
            { () async throws(CancellationError) in try await self.lookBell.wait() }
        )
    }

    /// Looks at least this often, whatever the alarm does. Jittered, so that many processes do not look together.
    func keepSweeping() async {
        do {
            while true {
                let (span, seed) = desk.withLock { ($0.settings.sweep.milliseconds, $0.draw()) }
                var random = SplitMix64(seed: seed)
                let wait = Int64.random(in: span...span + span / 4, using: &random)
                let clock = clock
                try await firstOf(
                    { () async throws(CancellationError) in
                        try await clock.sleep(for: .milliseconds(wait))
                        self.lookBell.ring()
                    },
                    { () async throws(CancellationError) in try await self.sweepBell.wait() }
                )
            }
        } catch {
            // Cancelled: the run ends.
        }
    }

    /// Passes claims through the gates: expiry, the gatekeeper, and at the desk those of the account.
    ///
    /// - Returns: whether it is worth while to claim some more of what is deferred.
    private func claimed(_ batch: ClaimBatch, by look: Look, lentAt steady: Int64) async -> Bool {
        meters.looked(claimed: batch.claims.count)
        let claims = batch.claims
        let overload = desk.withLock { desk in
            desk.looked(look, batch)
            return desk.scarcity.overload
        }
        guard !claims.isEmpty else { return desk.withLock { $0.mayTrickle } }
        leaseBell.ring()
        let now = clock.now()
        var closings: [Closing] = []
        let fresh: [Claim]
        if claims.contains(where: { $0.push.isExpired(now) }) {
            fresh = claims.filter { !$0.push.isExpired(now) }
            closings = claims.filter { $0.push.isExpired(now) }.map {
                expired($0, now, overload?.note(on: $0.push, now))
            }
        } else {
            fresh = claims
        }
        let decisions = fresh.isEmpty ? [] : await gate.decide(fresh, now: now)
        let parcels = sort(fresh, decisions, confirmed: steady, overload, &closings)
        refreshLimits(of: fresh.lazy.map(\.push.recipient.account))
        let admitted = clock.now()
        let mayTrickle = desk.withLock { desk in
            desk.close(closings)
            desk.admit(parcels, now: admitted)
            return desk.mayTrickle
        }
        startBell.ring()
        settleBell.ring()
        recordBell.ring()
        return mayTrickle
    }

    func expired(_ claim: Claim, _ now: Timestamp, _ note: SendCause? = nil) -> Closing {
        .end(
            claim,
            .expired,
            cause: DeliveryCauses.expired.noting(note)
                .noting(desk.withLock { $0.blockCause(of: claim.push, now) }),
            channel: claim.push.channel,
            at: now,
            successors: sequel.successors(of: claim, outcome: .expired, at: now)
        )
    }

    /// Parts what may go from what is held or ended by the gatekeeper.
    private func sort(
        _ claims: [Claim],
        _ decisions: [Decision],
        confirmed: Int64,
        _ overload: Overload?,
        _ closings: inout [Closing]
    ) -> [Parcel] {
        let now = clock.now()
        var parcels: [Parcel] = []
        parcels.reserveCapacity(claims.count)
        for (index, claim) in claims.enumerated() {
            let decision =
                index < decisions.count
                ? decisions[index]
                : .hold(until: now + .seconds(5), .retrying, cause: DeliveryCauses.undecided)
            switch decision {
            case .send(let message, let channel, let note):
                guard channels[channel] != nil else {
                    closings.append(dead(claim, DeliveryCauses.noChannel(channel), channel, now))
                    continue
                }
                parcels.append(
                    Parcel(
                        claim: claim,
                        message: message,
                        channel: channel,
                        note: overload?.note(on: claim.push, now)?.noting(note) ?? note,
                        confirmed: confirmed
                    )
                )
            case .hold(let until, let state, let cause):
                closings.append(
                    .hold(
                        claim,
                        state,
                        until: until,
                        cause: cause,
                        channel: claim.push.channel,
                        at: now,
                        reservation: .kept
                    )
                )
            case .end(let outcome, let cause, let successors):
                closings.append(
                    .end(
                        claim,
                        outcome,
                        cause: cause,
                        channel: claim.push.channel,
                        at: now,
                        successors: successors
                    )
                )
            }
        }
        return parcels
    }

    private func dead(_ claim: Claim, _ cause: SendCause, _ channel: String, _ now: Timestamp)
        -> Closing
    {
        .end(
            claim,
            .dead,
            cause: cause,
            channel: channel,
            at: now,
            successors: sequel.successors(of: claim, outcome: .dead, at: now)
        )
    }

    /// Looks up limits that are unknown or old; outside the lock, since the answer is somebody else's code.
    func refreshLimits(of accounts: some Sequence<String>) {
        let now = clock.now()
        let stale = desk.withLock { $0.staleAccounts(accounts, now) }
        guard !stale.isEmpty else { return }
        let fresh = stale.map { ($0, limits.limit(of: $0, at: now)) }
        desk.withLock { desk in
            for (account, limit) in fresh { desk.set(limit, of: account, now: now) }
        }
    }

    /// Waits before a failed call to the timeline is made again; ends the run if that is hopeless.
    func pause(after error: TimelineError, _ failures: Int, _ what: String)
        async throws(CancellationError)
    {
        switch error.code {
        case .closed, .corrupt, .locked, .newerFormat:
            fail(error)
            throw CancellationError()
        case .full, .io, .invalid:
            logger.error("\(what) failed, to be tried again: \(error)")
            meters.timelineFailed()
            let span = min(50 << min(failures, 7), 5_000)
            var random = SplitMix64(seed: desk.withLock { $0.draw() })
            try await clock.sleep(
                for: .milliseconds(Int.random(in: span / 2...span, using: &random))
            )
        }
    }
}

extension Push {
    func isExpired(_ now: Timestamp) -> Bool { expires.map { $0 <= now } ?? false }
}
