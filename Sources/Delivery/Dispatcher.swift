package import BelfryCore
package import Logging
import Synchronization

/// Delivers what is due: waits on the alarm, claims, passes the gates, hands over to channels, settles and records.
///
/// The gates come in a fixed order: expiry, permission and conditions (``Gatekeeper``), quiet hours, quota, rate, pause; the last four
/// by ``AccountLimits``. What waits here goes by priority, and within a band accounts take turns by their weights, so that one which is short of tokens, slow or paused does
/// not hold up the others: what it cannot send within two seconds goes back to the timeline until its turn, without counting an attempt. Where capacity is short for all, low
/// bands are left in the timeline (``OverloadPolicy``).
///
/// Everything happens inside ``run()``'s task tree, which can therefore run in a simulation. What ends it:
///
/// - ``stop(within:)``: nothing more is claimed; what is under way is finished, settled and recorded within the limit.
/// - Cancellation: calls of channels are cancelled; what they answer is still settled, once. Whatever is left is due again when its lease ends.
package final class Dispatcher<Engine: Timeline, Hint: Alarm, Time: WallClock>: Sendable {
    let timeline: Engine
    let alarm: Hint
    let clock: Time
    let channels: [String: any Channel]
    let gate: any Gatekeeper
    let limits: any AccountLimits
    let sequel: any Sequel
    let recorder: any Recorder
    let settings: DispatcherSettings
    let logger: Logger
    package let meters: DeliveryMeters

    let desk: Mutex<Desk>
    private let hasRun = Atomic(false)
    /// Until when a graceful stop may take.
    private let stopLimit = Mutex<Duration?>(nil)

    /// Rung when a look at the timeline is worth while.
    let lookBell = Doorbell()
    /// Rung when something may depart, or all is done.
    let startBell = Doorbell()
    let paceBell = Doorbell()
    let settleBell = Doorbell()
    let recordBell = Doorbell()
    /// Rung when something has been claimed.
    let leaseBell = Doorbell()
    /// Rung when the time between two looks has been changed.
    let sweepBell = Doorbell()
    /// Rung when it is worth while to look at how busy everything is.
    let watchBell = Doorbell()
    private let stopBell = Doorbell()

    /// - Parameters:
    ///   - channels: each under its own name.
    ///   - seed: for all jitter.
    package init(
        timeline: Engine,
        alarm: Hint,
        clock: Time,
        channels: [any Channel],
        gate: any Gatekeeper = OpenGate(),
        limits: any AccountLimits = NoLimits(),
        sequel: any Sequel = NoSequel(),
        recorder: any Recorder,
        settings: DispatcherSettings = DispatcherSettings(),
        seed: UInt64,
        logger: Logger
    ) {
        self.timeline = timeline
        self.alarm = alarm
        self.clock = clock
        self.channels = Dictionary(channels.map { ($0.name, $0) }) { first, _ in first }
        self.gate = gate
        self.limits = limits
        self.sequel = sequel
        self.recorder = recorder
        self.settings = settings
        self.logger = logger
        meters = DeliveryMeters(since: clock.now())
        desk = Mutex(
            Desk(
                settings: settings,
                sequel: sequel,
                channels: self.channels,
                seed: seed
            )
        )
    }

    // MARK: Running

    /// Delivers until stopped or cancelled, and returns then. Once only.
    ///
    /// - Throws: ``TimelineError`` when the timeline can no longer be used (closed, damaged, taken over).
    package func run() async throws(TimelineError) {
        precondition(!hasRun.exchange(true, ordering: .relaxed), "a dispatcher runs once")
        await withDiscardingTaskGroup { group in
            group.addTask { await self.keepLooking() }
            group.addTask { await self.keepSweeping() }
            group.addTask { await self.keepPacing() }
            group.addTask { await self.keepSettling() }
            group.addTask { await self.keepRecording() }
            group.addTask { await self.keepLeases() }
            group.addTask { await self.keepWatching() }
            group.addTask { await self.awaitStop() }
            await self.keepStarting(in: &group)
            group.cancelAll()
        }
        await flush()
        if let failure = desk.withLock({ $0.failure }) { throw failure }
    }

    /// Ends ``run()`` gracefully. May be called from anywhere, at any time.
    ///
    /// - Parameter limit: how long the finishing may take; after it, calls of channels are cancelled.
    package func stop(within limit: Duration) {
        stopLimit.withLock { $0 = min($0 ?? limit, limit) }
        desk.withLock { $0.isStopping = true }
        for bell in [stopBell, startBell, lookBell] { bell.ring() }
    }

    private func awaitStop() async {
        do {
            try await stopBell.wait()
            let limit = stopLimit.withLock { $0 } ?? .zero
            try await clock.sleep(for: limit)
            desk.withLock { $0.isOutOfTime = true }
            startBell.ring()
        } catch {
            // Everything was finished in time.
        }
    }

    /// The timeline cannot be used any more: ends the run.
    func fail(_ error: TimelineError) {
        logger.critical("delivery ends: \(error)")
        desk.withLock { $0.failure = $0.failure ?? error }
        startBell.ring()
    }

    // MARK: Pacing

    /// Changes how much one claim takes, and how often the timeline is looked at, while it runs: from the next claim on.
    ///
    /// - Parameters:
    ///   - claimBatch: at least 1.
    ///   - sweep: above zero.
    package func pace(claimBatch: Int, sweep: Duration) {
        let isOther = desk.withLock { desk in
            desk.settings.claimBatch = claimBatch
            defer { desk.settings.sweep = sweep }
            return desk.settings.sweep != sweep
        }
        if isOther { sweepBell.ring() }
        // There may be room now for a claim that was refused.
        lookBell.ring()
    }

    /// Changes what is deferred when capacity is short.
    package func overload(_ policy: OverloadPolicy) {
        desk.withLock { $0.settings.overload = policy }
        watchBell.ring()
        lookBell.ring()
    }

    /// What is deferred at the moment, and why; `nil`: nothing is.
    package var overload: Overload? { desk.withLock { $0.scarcity.overload } }

    // MARK: Pausing

    /// Holds every push of an account until ``resume(_:)``. What is under way is finished.
    package func pause(_ account: String, cause: SendCause) {
        let now = clock.now()
        desk.withLock { $0.stop(account, Pause(cause: cause), now: now) }
        startBell.ring()
    }

    /// Ends a ``pause(_:cause:)``, or a stop that a channel asked for; a pause of ``AccountLimits`` is ended there. What was held
    /// comes again within a minute.
    package func resume(_ account: String) {
        let now = clock.now()
        desk.withLock { $0.stop(account, nil, now: now) }
        startBell.ring()
    }

    /// Claims and sends nothing until ``resumeAll()``; what waits here keeps its lease.
    package func pauseAll(cause: SendCause) {
        desk.withLock { $0.pauseAll = Pause(cause: cause) }
    }

    package func resumeAll() {
        desk.withLock { $0.pauseAll = nil }
        lookBell.ring()
        startBell.ring()
    }

    /// Why nothing is sent at all; `nil` if it is.
    package var pausedAll: SendCause? { desk.withLock { $0.pauseAll?.cause } }

    /// The accounts that were paused here or stopped by a channel, and why.
    package var pausedAccounts: [String: SendCause] {
        desk.withLock { desk in
            Dictionary(
                desk.lanes.compactMap { lane in lane.stop.map { (lane.account, $0.cause) } }
            ) { first, _ in first }
        }
    }

    /// The circuits that are open, and keep the pushes of an account waiting.
    package func openCircuits(of account: String) -> [CircuitState] {
        let endpoints = Set(channels.values.map { $0.endpoint(of: account) })
        let now = clock.now()
        return desk.withLock { $0.circuitStates(now) }
            .filter { $0.open != nil && endpoints.contains($0.endpoint) }
    }

    /// What delivery has done and is doing. How many are due but not claimed, the timeline's forecast tells.
    package func snapshot() -> DeliverySnapshot {
        let now = clock.now()
        let present = desk.withLock { desk in
            DeliveryPresent(
                inFlight: desk.inFlight,
                waiting: desk.lanes.reduce(0) { $0 + $1.waiting },
                sending: desk.sending,
                putBack: desk.turnsAhead.total(after: now),
                unrecorded: desk.unrecorded.count,
                isPaused: desk.pauseAll != nil,
                oldestAsked: desk.oldestAsked(at: now),
                oldestHeld: desk.oldestHeld(at: now),
                overload: desk.scarcity.overload,
                circuits: desk.circuitStates(now),
                capacity: desk.scarcity.capacity
            )
        }
        return meters.snapshot(present, now: now)
    }
}
