import BelfryCore

/// A push that has passed the gates of permission and waits to be handed over, or is under way.
struct Parcel: Sendable {
    var claim: Claim
    var message: OutboundMessage
    var channel: String
    /// Why it goes this way, for the history.
    var note: SendCause?
    /// When the timeline last confirmed the claim, on the steady clock: leases do not follow a wall clock that is set.
    var confirmed: Int64
}

/// Parcels of one account that go to one channel in one call.
struct Shipment: Sendable {
    var number: Int
    var lane: Int
    var account: String
    var channel: String
    var endpoint: Endpoint
    var parcels: [Parcel]
    /// The channel takes them all in one call.
    var isOneCall: Bool
    /// So many calls of the other side.
    var calls: Int
    var unknown: UnknownPolicy
    /// Seeds the jitter of its retries.
    var seed: UInt64
}

/// A push whose fate is decided: to be recorded and settled, in one of two orders (see ``Recorder``).
struct Closing: Sendable {
    var event: DeliveryEvent
    var settlement: Settlement
    var recordsFirst: Bool

    /// An end without a message sent.
    static func end(
        _ claim: Claim,
        _ outcome: Outcome,
        cause: SendCause?,
        channel: String,
        at now: Timestamp,
        sentAt: Timestamp? = nil,
        successors: [Push]
    ) -> Closing {
        Closing(
            event: DeliveryEvent(
                claim: claim,
                change: .ended(outcome),
                cause: cause,
                channel: channel,
                at: now,
                sentAt: sentAt,
                reservation: .released,
                successors: successors
            ),
            settlement: Settlement(
                token: claim.token,
                result: outcome == .dead ? .dead : .done,
                successors: successors
            ),
            recordsFirst: true
        )
    }

    /// Put back without having been tried.
    static func hold(
        _ claim: Claim,
        _ state: WaitingState,
        until: Timestamp,
        cause: SendCause?,
        channel: String,
        at now: Timestamp,
        reservation: DeliveryEvent.Reservation
    ) -> Closing {
        Closing(
            event: DeliveryEvent(
                claim: claim,
                change: .waits(state, until: until),
                cause: cause,
                channel: channel,
                at: now,
                reservation: reservation
            ),
            settlement: Settlement(token: claim.token, result: .hold(until: until)),
            // A reservation must be given back before the push can come again and reserve anew.
            recordsFirst: reservation == .released
        )
    }

    /// Cancelled or replaced while it waited here: not sent. Which of the two it was, the settlement tells.
    static func withdrawn(_ parcel: Parcel, at now: Timestamp) -> Closing {
        Closing(
            event: DeliveryEvent(
                claim: parcel.claim,
                change: .ended(.cancelled),
                cause: nil,
                channel: parcel.channel,
                at: now,
                reservation: .released
            ),
            settlement: Settlement(token: parcel.claim.token, result: .done),
            recordsFirst: false
        )
    }

    /// What is to be recorded once the settlement has said what it did; `nil` if everything has been said.
    func settled(_ outcome: SettleOutcome) -> DeliveryEvent? {
        var event = event
        switch (event.change, outcome) {
        case (.waits, .settled): return recordsFirst ? nil : event
        case (.waits, .stale): return nil
        case (.waits, .settledCancelled): event.change = .ended(.cancelled)
        case (.waits, .settledParked): event.change = .ended(.replaced)
        case (.ended, _) where recordsFirst: return nil
        case (.ended(.cancelled), .settledParked): event.change = .ended(.replaced)
        case (.ended(.cancelled), .stale): return nil
        case (.ended, .settled): return event
        case (.ended, .settledCancelled), (.ended, .stale): event.successors = []
        case (.ended, .settledParked):
            event.successors.removeAll { $0.id == event.claim.push.id }
        }
        if case .ended(.cancelled) = event.change { event.reservation = .released }
        if case .ended(.replaced) = event.change { event.reservation = .released }
        return event
    }
}
