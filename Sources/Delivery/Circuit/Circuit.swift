import BelfryCore

/// The circuit breaker of one endpoint (M. Nygard, "Release It!", 2007). Pure.
///
/// Closed, it counts failures in a row. Open, it lets nothing through until the cool-down is over; then a single shipment of one message goes as the probe, and whatever answers closes
/// the circuit.
struct Circuit {
    /// Nobody has wanted to send for so long after the cool-down: what is known of the endpoint is of no use any more.
    private static let memory = Duration.minutes(5)

    private var failures = 0
    private var opening: CircuitState.Open?
    private var coolDown = Duration.zero
    /// The shipment that finds out.
    private(set) var probe: Int?
    private(set) var openings = 0

    /// Nothing need be remembered of it.
    var isBlank: Bool { failures == 0 && openings == 0 }

    /// Open, be it that nobody has asked for long.
    var isOpen: Bool { opening != nil }

    func open(_ now: Timestamp) -> CircuitState.Open? {
        opening.flatMap { now - $0.until > Self.memory ? nil : $0 }
    }

    /// Why a message has to wait; `nil`: it may go.
    func block(_ now: Timestamp) -> CircuitState.Open? {
        open(now).flatMap { now < $0.until || probe != nil ? $0 : nil }
    }

    mutating func departs(_ shipment: Int, _ now: Timestamp) {
        if open(now) != nil, probe == nil { probe = shipment }
    }

    /// The shipment has come back, be it that nothing was sent.
    mutating func arrived(_ shipment: Int) {
        if probe == shipment { probe = nil }
    }

    mutating func answered() {
        failures = 0
        opening = nil
    }

    /// So many messages in a row have found nobody.
    mutating func failed(
        _ count: Int,
        _ cause: SendCause,
        by shipment: Int,
        _ policy: CircuitPolicy,
        _ now: Timestamp,
        using random: inout some RandomNumberGenerator
    ) {
        failures = min(failures + count, 1_000_000)
        if let open = open(now) {
            opening?.cause = cause
            // What was under way before tells nothing new.
            guard probe == shipment else { return }
            coolDown = min(coolDown * 2, max(policy.coolDown, policy.longest))
            opening = draw(since: open.since, cause, now, using: &random)
        } else if policy.failures > 0, failures >= policy.failures {
            coolDown = policy.coolDown
            openings += 1
            opening = draw(since: now, cause, now, using: &random)
        }
    }

    private func draw(
        since: Timestamp,
        _ cause: SendCause,
        _ now: Timestamp,
        using random: inout some RandomNumberGenerator
    ) -> CircuitState.Open {
        let bound = max(1, coolDown.milliseconds)
        let drawn = Int64.random(in: (bound + 1) / 2...bound, using: &random)
        return CircuitState.Open(since: since, cause: cause, until: now + .milliseconds(drawn))
    }
}

extension CircuitState.Open {
    /// When a push that meets it comes again: not before the cool-down is over, and after a quarter of the time for which the circuit has been open, 1 to 60 seconds, half of it drawn.
    /// So a short outage costs little lateness, a long one little work, and what has waited does not come at once.
    func lookAgain(_ now: Timestamp, using random: inout some RandomNumberGenerator) -> Timestamp {
        let span = min(max((now - since).milliseconds / 4, 1_000), 60_000)
        let first = max(now, until)
        return first + .milliseconds(Int64.random(in: 0...span, using: &random))
    }
}
