/// How a claim ended. A settlement and its successors happen together or not at all (promise T13).
package struct Settlement: Sendable, Hashable {
    package var token: ClaimToken
    package var result: Result
    /// Pushes of the same recipient that follow from this one: the next step of a flow, another channel. One of them may carry
    /// the settled id. They are dropped if the claim was cancelled; the one that carries the settled id also if a newer version is parked.
    package var successors: [Push]

    package enum Result: Sendable, Hashable {
        /// Nothing more will be done for this push.
        case done
        /// Tried in vain: due again at this time, with `attempt` one higher.
        case retry(at: Timestamp)
        /// Not tried (quiet hours, no tokens, a paused account): due again at this time, `attempt` stays as it is.
        case hold(until: Timestamp)
        /// Given up. Whoever settles has kept what it needs to retry by hand.
        case dead
    }

    package init(token: ClaimToken, result: Result, successors: [Push] = []) {
        self.token = token
        self.result = result
        self.successors = successors
    }
}

/// What a settlement or an extension did.
package enum SettleOutcome: UInt8, Sendable, Hashable {
    /// Done as said.
    case settled
    /// Done, but a cancel had come in while the push was in flight: it ended here, without retry or successors.
    case settledCancelled
    /// Done; a newer version that was parked is now pending.
    case settledParked
    /// The token is not the newest: nothing was changed.
    case stale
}

/// What an extension of a lease did.
package enum ExtendOutcome: UInt8, Sendable, Hashable {
    case extended
    /// Extended, but a cancel or a newer version came in meanwhile: do not send if that can still be helped.
    case extendedSuperseded
    /// The token is not the newest: nothing was changed.
    case stale
}
