package import BelfryCore

/// Decides what becomes of claimed pushes: whether they may be sent at all, and with which words.
///
/// It stands second in the fixed order of the gates (expiry, *permission and conditions*, quiet hours, quota, rate, pause). Saying
/// `send` reserves one message of the permission, named by the push's id and ``Claim/sequence``: asked again about the same version, it
/// finds that reservation. What becomes of it is told by ``DeliveryEvent/reservation``.
package protocol Gatekeeper: Sendable {
    /// - Returns: one decision for each claim, in order. It does not throw: what cannot be decided now is held.
    func decide(_ claims: [Claim], now: Timestamp) async -> [Decision]
}

/// What a ``Gatekeeper`` makes of one push.
package enum Decision: Sendable, Hashable {
    /// May go, on this channel. The note says why it is this one, where that is not plain; it goes into the history.
    case send(OutboundMessage, channel: String, note: SendCause? = nil)
    /// Not now; asked again at `until`. What it had reserved before stays as it is.
    case hold(until: Timestamp, WaitingState, cause: SendCause?)
    /// Never: this is how it ends, and what follows.
    case end(Outcome, cause: SendCause?, successors: [Push])
}

/// Lets everything pass, the payload being the body and the push naming its channel: plain pushes and benchmarks.
package struct OpenGate: Gatekeeper {
    package init() {}

    package func decide(_ claims: [Claim], now: Timestamp) async -> [Decision] {
        claims.map { .send(OutboundMessage($0), channel: $0.push.channel) }
    }
}

extension OutboundMessage {
    /// The message of a push whose payload is already in the channel's form.
    package init(_ claim: Claim) {
        self.init(
            id: claim.push.id,
            recipient: claim.push.recipient,
            body: claim.push.payload,
            due: claim.push.due,
            asked: claim.asked,
            attempt: claim.attempt,
            sequence: claim.sequence,
            collected: claim.collected
        )
    }
}
