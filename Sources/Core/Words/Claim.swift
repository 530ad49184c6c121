/// The fencing token of a claim: whoever holds the newest generation of a push holds the push (promise T4).
package struct ClaimToken: Sendable, Hashable {
    package var id: PushID
    /// Bumped at every claim, replacement and reaped lease; never reused while the timeline is open.
    package var generation: UInt64
    /// Which of two timelines lent it, while pushes move from one to another; an engine alone neither sets it nor looks at it.
    package var side: UInt8 = 0

    package init(id: PushID, generation: UInt64) {
        self.id = id
        self.generation = generation
    }
}

/// A due push, lent to one worker until its lease ends.
package struct Claim: Sendable, Hashable {
    package var token: ClaimToken
    /// The newest version. After a settlement with `retry` or `hold`, its `due` is the time that settlement named.
    package var push: Push
    /// The order of acceptance among the pushes of one recipient: given when the push is scheduled or replaced, kept across retries and restarts. Together with
    /// the id it names this very version of the push, for example in a reservation of permission.
    package var sequence: UInt64
    /// How often a settlement has said `retry` before; 0 at the first claim.
    package var attempt: Int
    /// The due time that this version was scheduled with, or that its merge gave it: holds and retries move `push.due`, never this.
    package var asked: Timestamp
    /// When the timeline accepted this version.
    package var accepted: Timestamp
    package var leaseEnds: Timestamp
    /// Payloads that were collected by a merge before the newest, oldest first; empty otherwise.
    package var collected: [[UInt8]]

    /// - Parameter asked: `push.due` unless given: never held, never tried.
    package init(
        token: ClaimToken,
        push: Push,
        sequence: UInt64,
        attempt: Int,
        asked: Timestamp? = nil,
        accepted: Timestamp,
        leaseEnds: Timestamp,
        collected: [[UInt8]] = []
    ) {
        self.token = token
        self.push = push
        self.sequence = sequence
        self.attempt = attempt
        self.asked = asked ?? push.due
        self.accepted = accepted
        self.leaseEnds = leaseEnds
        self.collected = collected
    }

    /// How long holds and retries have put this version off so far.
    package var held: Duration { max(.zero, push.due - asked) }
}

/// What one call to `claim` brought, and when to look again.
package struct ClaimBatch: Sendable {
    package var claims: [Claim]
    /// The timeline's clock at the claim.
    package var now: Timestamp
    /// When the next push becomes due or the next lease ends; at or before `now` if more is due already; `nil` if nothing is pending.
    package var nextDue: Timestamp?

    package init(claims: [Claim], now: Timestamp, nextDue: Timestamp?) {
        self.claims = claims
        self.now = now
        self.nextDue = nextDue
    }
}
