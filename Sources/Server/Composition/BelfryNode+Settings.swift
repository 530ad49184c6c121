import BelfryChannels
package import BelfryCore
import BelfryDelivery
import BelfryJournal
import BelfryRecords

extension DispatcherSettings {
    init(_ configuration: ServerConfiguration) {
        self.init()
        let delivery = configuration.delivery
        claimBatch = delivery.batch
        lease = delivery.lease
        if !configuration.timeline.url.isEmpty {
            // An alarm that comes over a network can be lost more easily than one in the same process.
            sweep = .seconds(60)
            // What a worker holds when it dies, the others get when its leases end.
            reach = .milliseconds(500)
        }
        retry.attempts = delivery.attemptsMax
        retry.base = delivery.backoffBase
        retry.longest = delivery.backoffMax
        circuit.failures = delivery.circuitFailures
        circuit.coolDown = delivery.circuitCoolDown
        sends = delivery.sendsMax
        overload = OverloadPolicy(configuration.overload)
    }
}

extension OverloadPolicy {
    /// - Parameter live: what was set while running, where that differs.
    init(_ settings: ServerConfiguration.Overload, live: LiveSettings = LiveSettings()) {
        let bands = live.overloadDefer ?? settings.bands
        self.init(
            highest: bands.highest,
            lagGoal: live.overloadLagGoal ?? settings.lagGoal,
            longest: live.overloadDeferralMax ?? settings.deferralMax
        )
    }
}

extension ServerConfiguration.Overload.Bands {
    fileprivate var highest: Priority? {
        switch self {
        case .off: nil
        case .low: .low
        case .normal: .normal
        }
    }
}

extension JournalConfiguration {
    init(_ configuration: ServerConfiguration) {
        self.init()
        lanes = configuration.timeline.lanes == 0 ? nil : configuration.timeline.lanes
    }
}

extension DeliveryReading {
    /// How many pushes are due and not settled, whoever holds them.
    ///
    /// The timeline's count by whole minutes needs no scan, however long the backlog; what delivery has claimed is among it. Of this very minute
    /// only what delivery has claimed is known, and what it has put back for a turn is in the timeline under its turn.
    package static func dueNow(
        in timeline: some Timeline,
        inFlight: Int,
        putBack: Int,
        now: Timestamp
    ) async throws(TimelineError) -> Int {
        let minute = Duration.minutes(1).milliseconds
        let past = Timestamp(milliseconds: now.milliseconds / minute * minute)
        let counts = try await timeline.forecast(
            from: Timestamp(milliseconds: 0),
            to: past,
            bucket: .milliseconds(past.milliseconds)
        )
        return max(counts.reduce(0, +), inFlight) + putBack
    }

    init(_ snapshot: DeliverySnapshot) {
        let late = snapshot.recentLateness
        func span(_ milliseconds: Int) -> Duration? {
            late.count == 0 ? nil : .milliseconds(Int64(milliseconds))
        }
        self.init(
            dueNow: snapshot.inFlight,
            inFlight: snapshot.inFlight,
            latenessP50: span(late.p50),
            latenessP95: span(late.p95),
            latenessP99: span(late.p99),
            heldP50: span(snapshot.recentHeld.p50),
            heldP95: span(snapshot.recentHeld.p95),
            heldP99: span(snapshot.recentHeld.p99),
            oldestOverdue: snapshot.oldestOverdue,
            oldestHeld: snapshot.oldestHeld,
            sentLastMinute: snapshot.sentLastMinute,
            failedLastHour: snapshot.failedLastMinute,
            outcomes: snapshot.outcomes
        )
        overload = snapshot.overload
        circuits = snapshot.circuits
        overloads = snapshot.overloads
        deferred = snapshot.deferred
        capacity = snapshot.capacity
    }
}

extension Records {
    /// How many pushes failed, from the counters of minutes; `nil` while the records cannot be read: whoever asks shows less then.
    func failures(inHourBefore now: Timestamp) async -> Int? {
        let total = try? await counters.total(from: now - .hours(1), to: now, bucket: .minute)
        return total?.failures
    }
}

extension Check {
    /// What must be well for the server to be of use.
    static func all(accounts: AccountBook, delivery: DeliverySnapshot) -> [Check] {
        let faults = accounts.faults.sorted { $0.key < $1.key }
        return [
            Check(
                "records",
                problem: delivery.unrecorded >= 10_000
                    ? "\(delivery.unrecorded) outcomes wait to be written" : nil
            ),
            Check(
                "accounts",
                problem: faults.isEmpty
                    ? nil : faults.map { "\($0.key): \($0.value)" }.joined(separator: "; ")
            ),
            Check("circuits", problem: problem(of: delivery.circuits), isVital: false),
        ]
    }

    private static func problem(of circuits: [CircuitState]) -> String? {
        let open = circuits.filter { $0.open != nil }.map { "\($0.endpoint)" }
        return open.isEmpty ? nil : "out of order: " + open.joined(separator: ", ")
    }
}

extension Account {
    /// Where the account's webhooks go; `nil` where it has no address or no secret.
    func webhookTarget(timeout: Duration) -> WebhookTarget? {
        guard let url = record.webhookURL, let text = record.webhookSecret?.reveal(),
            let secret = WebhookSecret(text)
        else { return nil }
        return WebhookTarget(url: url, secrets: [secret], timeout: timeout)
    }
}
