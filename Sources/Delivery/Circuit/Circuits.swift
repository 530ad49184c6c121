import BelfryCore

/// The circuits of all endpoints that have failed lately.
struct Circuits {
    enum Change: Equatable {
        case opened(CircuitState.Open)
        /// It had been open since then.
        case closed(since: Timestamp)
    }

    private var circuits: [Endpoint: Circuit] = [:]

    /// All are closed: nobody need be asked about.
    private(set) var isQuiet = true

    var states: [(Endpoint, Circuit)] {
        circuits.filter { $0.value.openings > 0 }.sorted { $0.key < $1.key }
    }

    func open(_ endpoint: Endpoint, _ now: Timestamp) -> CircuitState.Open? {
        circuits[endpoint]?.open(now)
    }

    func block(_ endpoint: Endpoint, _ now: Timestamp) -> CircuitState.Open? {
        circuits[endpoint]?.block(now)
    }

    mutating func departs(_ endpoint: Endpoint, _ shipment: Int, _ now: Timestamp) {
        circuits[endpoint]?.departs(shipment, now)
    }

    mutating func arrived(_ endpoint: Endpoint, _ shipment: Int) {
        circuits[endpoint]?.arrived(shipment)
    }

    /// Takes in what the other side has made of a shipment.
    mutating func take(
        _ outcomes: [SendOutcome],
        of shipment: Shipment,
        _ policy: CircuitPolicy,
        _ now: Timestamp,
        using random: inout some RandomNumberGenerator
    ) -> Change? {
        let causes = outcomes.map(\.failure)
        let trailing = causes.reversed().prefix { $0 != nil }.count
        let hasAnswered = trailing < causes.count
        guard circuits[shipment.endpoint] != nil || trailing > 0 else { return nil }
        var circuit = circuits[shipment.endpoint] ?? Circuit()
        let before = circuit.open(now)
        if hasAnswered { circuit.answered() }
        // One call that fails is one failure, however many messages it carried.
        let failures = shipment.isOneCall ? (hasAnswered ? 0 : 1) : trailing
        if failures > 0, let cause = causes.last ?? nil {
            circuit.failed(failures, cause, by: shipment.number, policy, now, using: &random)
        }
        circuits[shipment.endpoint] = circuit.isBlank ? nil : circuit
        if circuit.isOpen || !isQuiet { isQuiet = !circuits.values.contains { $0.isOpen } }
        switch (before, circuit.open(now)) {
        case (nil, let open?): return .opened(open)
        case (let open?, nil): return .closed(since: open.since)
        case (nil, nil), (_?, _?): return nil
        }
    }
}

extension SendOutcome {
    /// What it says of an endpoint that is out of order; `nil` where somebody has answered, whatever the answer.
    fileprivate var failure: SendCause? {
        switch self {
        case .unreachable(_, let cause), .unknown(let cause), .repeatable(_, let cause): cause
        case .sent, .retry, .refused, .stopAccount: nil
        }
    }
}
