package import BelfryCore

/// What delivery has done since it began, and what it is doing, at one moment.
package struct DeliverySnapshot: Sendable {
    package var since: Timestamp
    package var now: Timestamp

    /// Pushes by how they ended.
    package var outcomes: [Outcome: Int]
    /// How often a push was put back, by why.
    package var waits: [WaitingState: Int]
    /// Messages handed to channels, retries included.
    package var handedOver: Int
    package var claimed: Int
    /// Calls of `claim`.
    package var looks: Int
    /// Claims that had gone to somebody else when they were renewed or settled.
    package var lost: Int
    package var timelineFailures: Int
    package var recordFailures: Int

    /// Claimed and not yet settled.
    package var inFlight: Int
    /// Of those: waiting for a turn.
    package var waiting: Int
    /// Of those: handed to a channel that has not answered.
    package var sending: Int
    /// Due, and put back into the timeline for a turn that is still to come: the account is at its rate, or paused.
    package var putBack: Int
    /// Events that wait for the records.
    package var unrecorded: Int
    package var isPaused: Bool
    /// Sent within the last sixty whole seconds.
    package var sentLastMinute: Int
    /// Retried, refused or dead within the last sixty whole seconds.
    package var failedLastMinute: Int
    /// How long ago the oldest push was to go out that has not, as far as the last look knows, held ones included; `nil` with none.
    package var oldestOverdue: Duration?
    /// The same of what was put back until later, by why. What waits for a person's permission is not in it.
    package var oldestHeld: [WaitingState: Duration]

    /// Of what was sent: from the time asked for until the try that succeeded was handed over, since the start.
    package var lateness: LatenessSummary
    /// The same of the last five to ten minutes.
    package var recentLateness: LatenessSummary
    /// How much of that holds and retries took.
    package var recentHeld: LatenessSummary
    package var accounts: [String: AccountTally]
    /// What is deferred because capacity is short; `nil`: nothing is.
    package var overload: Overload?
    /// The endpoints that are or were out of order since the start.
    package var circuits: [CircuitState]
    /// How often capacity became short.
    package var overloads: Int
    /// Messages that were sent late because they had been deferred.
    package var deferred: Int
    /// Messages a second that go out when everything is busy; `nil` while that has never been so.
    package var capacity: Double?

    package var sent: Int { outcomes[.sent, default: 0] }
}

/// Percentiles in milliseconds.
package struct LatenessSummary: Sendable, Hashable, Codable {
    package var count: Int
    package var mean: Double
    package var p50: Int
    package var p95: Int
    package var p99: Int
    package var max: Int

    package init(
        count: Int = 0,
        mean: Double = 0,
        p50: Int = 0,
        p95: Int = 0,
        p99: Int = 0,
        max: Int = 0
    ) {
        self.count = count
        self.mean = mean
        self.p50 = p50
        self.p95 = p95
        self.p99 = p99
        self.max = max
    }
}

/// What became of one account's pushes.
package struct AccountTally: Sendable, Hashable, Codable {
    package var sent = 0
    /// Refused, dead, or ended without an answer.
    package var failed = 0
    package var retried = 0
    package var held = 0

    package init() {}
}

/// What the desk holds at the moment.
struct DeliveryPresent {
    var inFlight: Int
    var waiting: Int
    var sending: Int
    var putBack: Int
    var unrecorded: Int
    var isPaused: Bool
    var oldestAsked: Timestamp?
    var oldestHeld: [WaitingState: Timestamp]
    var overload: Overload?
    var circuits: [CircuitState]
    var capacity: Double?
}
