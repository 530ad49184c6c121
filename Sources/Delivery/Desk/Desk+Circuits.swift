import BelfryCore

/// What waits for an endpoint that is out of order goes back into the timeline, where it costs no attempt and stands in nobody's way.
extension Desk {
    func endpoint(_ channel: String, _ account: String) -> Endpoint {
        endpoints[channel]?.endpoint(of: account) ?? Endpoint(channel: channel, name: account)
    }

    /// Holds a push whose endpoint's circuit is open.
    ///
    /// - Returns: whether it is.
    mutating func holdBlocked(_ parcel: Parcel, _ now: Timestamp) -> Bool {
        guard !circuits.isQuiet else { return false }
        let endpoint = endpoint(parcel.channel, parcel.claim.push.recipient.account)
        guard let open = circuits.block(endpoint, now) else { return false }
        let until = open.lookAgain(now, using: &random)
        turnsAhead.add(until)
        close(.hold(parcel, for: open, of: endpoint, until: until, at: now))
        return true
    }

    /// Clears the head of a lane from what cannot go, so that what is behind it can.
    mutating func clearBlocked(_ lane: Int, _ band: Int, _ now: Timestamp) {
        guard !circuits.isQuiet else { return }
        while let channel = lanes[lane].channel(in: band),
            circuits.block(endpoint(channel, lanes[lane].account), now) != nil
        {
            for parcel in lanes[lane].remove(to: channel) { _ = holdBlocked(parcel, now) }
        }
    }

    /// How many messages may go to an endpoint in one shipment: one, as long as it is not known whether anybody is there.
    func passing(_ endpoint: Endpoint, _ now: Timestamp) -> Int {
        circuits.isQuiet || circuits.open(endpoint, now) == nil ? .max : 1
    }

    /// Takes in what a channel has made of a shipment.
    ///
    /// - Returns: the circuit, if it is open now, and whether that is news.
    mutating func answered(_ shipment: Shipment, _ outcomes: [SendOutcome], at now: Timestamp)
        -> (open: CircuitState.Open?, change: Circuits.Change?)
    {
        let change = circuits.take(
            outcomes,
            of: shipment,
            settings.circuitInForce,
            now,
            using: &random
        )
        return (circuits.open(shipment.endpoint, now), change)
    }

    /// Why a push that has expired was not sent before, if that was it.
    func blockCause(of push: Push, _ now: Timestamp) -> SendCause? {
        guard !circuits.isQuiet else { return nil }
        let endpoint = endpoint(push.channel, push.recipient.account)
        return circuits.open(endpoint, now).map { DeliveryCauses.circuitOpen(endpoint, $0) }
    }

    func circuitStates(_ now: Timestamp) -> [CircuitState] {
        circuits.states.map { endpoint, circuit in
            CircuitState(
                endpoint: endpoint,
                openings: circuit.openings,
                open: circuit.open(now)
            )
        }
    }
}

extension DispatcherSettings {
    /// However many failures are asked for: a push that alone meets all of them must not run out of attempts before.
    fileprivate var circuitInForce: CircuitPolicy {
        var policy = circuit
        policy.failures = min(policy.failures, max(1, retry.attempts))
        return policy
    }
}

extension Closing {
    /// Put back because nobody can be reached; at the push's own expiry at the latest, so that it ends then.
    static func hold(
        _ parcel: Parcel,
        for open: CircuitState.Open,
        of endpoint: Endpoint,
        until: Timestamp,
        at now: Timestamp,
        sentAt: Timestamp? = nil
    ) -> Closing {
        var closing = hold(
            parcel.claim,
            .heldPaused,
            until: max(now, min(until, parcel.claim.push.expires ?? until)),
            cause: DeliveryCauses.circuitOpen(endpoint, open).noting(parcel.note),
            channel: parcel.channel,
            at: now,
            reservation: .released
        )
        closing.event.sentAt = sentAt
        return closing
    }
}
