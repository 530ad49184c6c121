package import BelfryCore

/// Writes down what became of pushes. Records can lag; they are never asked what is due.
///
/// The order is what makes a crash or a full disk harmless:
///
/// - An end without a message sent (dead letter, expired, refused, skipped) and a hold that gives back a reservation are recorded
///   **before** they are settled. A crash between the two repeats the gates, and nobody is written to twice.
/// - What was sent, or may have been, is settled **before** it is recorded, successors in the same settlement: a failing store never
///   makes a push be sent again. A crash between the two loses the line in the history, not the message, nor what follows.
///
/// While recording fails, deliveries go on and the events are kept in memory, up to ``DispatcherSettings/recordBacklog``; then no more
/// pushes are claimed until the store is back: they wait in the timeline, late but safe.
package protocol Recorder: Sendable {
    /// Writes events, all or none. The same event may come again (after a crash, or when an answer was lost): it is named by the push's
    /// id, its ``Claim/sequence``, its attempt and the change. Of two events for one version the one with the later `at` is the truth.
    ///
    /// - Throws: anything; the dispatcher tries again with growing pauses, and smaller batches.
    func record(_ events: [DeliveryEvent]) async throws

    /// Tells people of something that needs them.
    func alert(_ alert: DeliveryAlert) async
}

/// What became of one push.
package struct DeliveryEvent: Sendable, Hashable {
    /// The whole push: a dead letter can be scheduled again from it.
    package var claim: Claim
    package var change: Change
    package var cause: SendCause?
    /// The channel it went to or was meant for.
    package var channel: String
    /// When it was decided.
    package var at: Timestamp
    /// When it was handed to the channel; `nil` if it was not.
    package var sentAt: Timestamp?
    /// The other side's id of the message, where there is one.
    package var reference: String?
    package var reservation: Reservation
    /// What the channel refused it for, where that is not its end: what can be learnt from that must be recorded before it comes again.
    package var refusal: Outcome?
    /// What was scheduled with the settlement: empty also where a cancel or a newer version came in.
    package var successors: [Push]

    package enum Change: Sendable, Hashable {
        case ended(Outcome)
        case waits(WaitingState, until: Timestamp)
    }

    /// What becomes of the permission that the ``Gatekeeper`` reserved for this version of the push.
    package enum Reservation: String, Sendable, Hashable, Codable {
        /// Stays reserved: the push comes back soon.
        case kept
        /// Used up: the message was sent, or may have been.
        case used
        /// Stays reserved, and may have been used: the push comes back soon, and the other side may know its message already.
        case uncertain
        /// To be given back, if there was one.
        case released
    }

    package init(
        claim: Claim,
        change: Change,
        cause: SendCause?,
        channel: String,
        at: Timestamp,
        sentAt: Timestamp? = nil,
        reference: String? = nil,
        reservation: Reservation,
        refusal: Outcome? = nil,
        successors: [Push] = []
    ) {
        self.claim = claim
        self.change = change
        self.cause = cause
        self.channel = channel
        self.at = at
        self.sentAt = sentAt
        self.reference = reference
        self.reservation = reservation
        self.refusal = refusal
        self.successors = successors
    }

    /// From the time asked for to handed over, holds and retries included; `nil` if it was not handed over.
    package var lateness: Duration? {
        sentAt.map { max(.zero, $0 - claim.asked) }
    }
}

/// Something that does not mend itself, or has mended.
package enum DeliveryAlert: Sendable, Hashable {
    /// A channel said that nothing of this account can be sent until somebody acts. Its pushes are held until ``Dispatcher/resume(_:)``.
    case accountStopped(account: String, cause: SendCause)
    /// Events cannot be written; so many wait.
    case recordsFailing(waiting: Int, error: String)
    case recordsRecovered
}

/// Writes nothing down: benchmarks.
package struct NoRecorder: Recorder {
    package init() {}

    package func record(_ events: [DeliveryEvent]) async throws {}
    package func alert(_ alert: DeliveryAlert) async {}
}
