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
    /// Of a push that merges, as ``MovableTimeline/page(after:limit:)`` reads it; `nil` otherwise.
    package var group: Group?

    /// What a merge group is besides its newest push and the payloads that it has collected.
    package struct Group: Sendable, Hashable {
        /// The earliest and the latest due time in it; a past one counts as the time of acceptance.
        package var first: Timestamp
        package var last: Timestamp
        /// Others may still join it.
        package var isOpen: Bool

        package init(first: Timestamp, last: Timestamp, isOpen: Bool) {
            self.first = first
            self.last = last
            self.isOpen = isOpen
        }
    }

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
        collected: [[UInt8]] = [],
        group: Group? = nil
    ) {
        self.push = push
        self.state = state
        self.sequence = sequence
        self.attempt = attempt
        self.asked = asked ?? push.due
        self.accepted = accepted
        self.collected = collected
        self.group = group
    }

    /// Whether nothing has happened to a push since it was read: it is the same version, put off by nobody, and nobody holds it.
    package func isUnchanged(since other: Pending) -> Bool {
        state == .scheduled && sequence == other.sequence && push.due == other.push.due
            && attempt == other.attempt
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

    /// Adds what another lane, or another timeline, counts.
    package mutating func add(_ other: TimelineCounts) {
        scheduled += other.scheduled
        inFlight += other.inFlight
        damaged += other.damaged
        byAccount.merge(other.byAccount, uniquingKeysWith: +)
    }
}
