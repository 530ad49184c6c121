/// What a timeline knows of one push that has not ended.
package struct Pending: Sendable, Hashable {
    package var push: Push
    package var state: State
    package var sequence: UInt64
    package var attempt: Int
    /// As ``Claim/asked``.
    package var asked: Timestamp
    package var accepted: Timestamp
    /// As ``Claim/collected``.
    package var collected: [[UInt8]]

    package enum State: String, Sendable, Hashable, Codable {
        case scheduled
        case inFlight = "in_flight"
        /// In flight, and a cancel has come in.
        case cancelling
        /// In flight, and a newer version waits; `push` is that newer version.
        case parked
        /// It lies where the disk is damaged and is set aside: never lent, but it can be cancelled or replaced. Of `push` only id, account and due
        /// time are known.
        case damaged
    }

    /// - Parameter asked: `push.due` unless given: never held, never tried.
    package init(
        push: Push,
        state: State,
        sequence: UInt64,
        attempt: Int,
        asked: Timestamp? = nil,
        accepted: Timestamp,
        collected: [[UInt8]] = []
    ) {
        self.push = push
        self.state = state
        self.sequence = sequence
        self.attempt = attempt
        self.asked = asked ?? push.due
        self.accepted = accepted
        self.collected = collected
    }
}

/// Pending pushes, per account. Counting is O(1) per account, never a scan.
package struct TimelineCounts: Sendable, Hashable {
    package var scheduled: Int
    package var inFlight: Int
    /// Of those scheduled: set aside, because they cannot be read (``Pending/State/damaged``).
    package var damaged: Int
    package var byAccount: [String: Int]

    package init(
        scheduled: Int = 0,
        inFlight: Int = 0,
        damaged: Int = 0,
        byAccount: [String: Int] = [:]
    ) {
        self.scheduled = scheduled
        self.inFlight = inFlight
        self.damaged = damaged
        self.byAccount = byAccount
    }
}
