/// How a planned push ended: every one ends in exactly one of these.
package enum Outcome: String, Sendable, Hashable, Codable, CaseIterable {
    case sent
    case merged
    case replaced
    case cancelled
    case unsubscribed
    case skippedCondition = "skipped_condition"
    case skippedCap = "skipped_cap"
    /// No permission was open when it was due, and the step said to skip.
    case noGrant = "no_grant"
    /// WeChat said that the window is closed.
    case window45015 = "window_45015"
    /// WeChat said that the window's count is used up.
    case count45047 = "count_45047"
    /// WeChat said that the person refused, or that the consent is used up.
    case refused43101 = "refused_43101"
    case quotaDay = "quota_day"
    case expired
    case dead
    /// The call ended without an answer, after the message may have been accepted.
    case unknown
}

/// Where a push is that has not ended.
package enum WaitingState: String, Sendable, Hashable, Codable, CaseIterable {
    case scheduled
    case heldQuiet = "held_quiet"
    case heldRate = "held_rate"
    case heldWindow = "held_window"
    case heldPaused = "held_paused"
    case retrying
    case inFlight = "in_flight"

    /// Due once, and put off until later.
    package var isHold: Bool {
        switch self {
        case .heldQuiet, .heldRate, .heldWindow, .heldPaused, .retrying: true
        case .scheduled, .inFlight: false
        }
    }
}
