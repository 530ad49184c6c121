package import BelfryCore

/// What is to happen next for a person in a flow.
package struct Plan: Sendable, Hashable {
    /// Steps that ended without a push: their moment had passed.
    package var passed: [PassedStep]
    package var next: Next
    /// To be sent inside the answer to the callback.
    package var reply: FlowMessage?

    package enum Next: Sendable, Hashable {
        /// Schedule this; it replaces what was pending of this flow and person.
        case push(Push, FlowPosition)
        case ended(FlowEnd)
    }

    package init(passed: [PassedStep] = [], next: Next, reply: FlowMessage? = nil) {
        self.passed = passed
        self.next = next
        self.reply = reply
    }

    /// The push to schedule, `nil` where the flow has ended.
    package var push: Push? {
        if case .push(let push, _) = next { push } else { nil }
    }

    package var position: FlowPosition? {
        if case .push(_, let position) = next { position } else { nil }
    }
}

/// A step that came to its end without a push.
package struct PassedStep: Sendable, Hashable {
    package var step: String
    package var outcome: Outcome
    package var reason: String

    package init(step: String, outcome: Outcome, reason: String) {
        self.step = step
        self.outcome = outcome
        self.reason = reason
    }
}

/// Why a flow is over for a person.
package enum FlowEnd: String, Sendable, Hashable, Codable, CaseIterable {
    case completed
    case goalReached = "goal_reached"
    case unsubscribed
    /// Somebody cancelled the pending push.
    case cancelled
    /// A newer version was published that sends everybody out.
    case exited
}

/// Why a person did not enter a flow.
package enum NotEntered: Error, Sendable, Hashable, CustomStringConvertible {
    case otherTrigger
    /// The person is inside, and a second trigger changes nothing.
    case alreadyInside
    /// The person has been through, and may only once.
    case onlyOnce
    case notFollowing
    case condition(String)
    case goalReached
    /// The person or the trigger's values break a limit.
    case invalid(String)

    package var description: String {
        switch self {
        case .otherTrigger: "the flow has another trigger"
        case .alreadyInside: "the person is inside, and the flow ignores a second trigger"
        case .onlyOnce: "the person has been in the flow, and may enter only once"
        case .notFollowing: "the person does not follow the account"
        case .condition(let unmet): unmet
        case .goalReached: "the person has reached the flow's goal"
        case .invalid(let why): why
        }
    }
}

/// Whether a person is in a flow, or has been.
package enum Attendance: Sendable, Hashable {
    case never
    case inside
    case before
}

/// What to do with a push of a flow that is due: the answer that a delivery gate gets.
package enum Resolution: Sendable, Hashable {
    case send(OutgoingStep)
    /// Not now: look again at that time, or when the person does something.
    case hold(until: Timestamp, state: WaitingState, reason: String)
    case skip(Outcome, reason: String)
    /// Nothing may be sent by the usual channel; the step names another.
    case fallBack(OutgoingStep, reason: String)
}

/// A message made ready for a channel.
package struct OutgoingStep: Sendable, Hashable {
    package var step: String
    package var channel: String
    /// The channel's own form as JSON, without the recipient.
    package var body: [UInt8]
    package var permission: PermissionNeed
    /// What the person will read, short.
    package var preview: String

    package init(
        step: String,
        channel: String,
        body: [UInt8],
        permission: PermissionNeed,
        preview: String
    ) {
        self.step = step
        self.channel = channel
        self.body = body
        self.permission = permission
        self.preview = preview
    }
}

/// What has to be reserved in the ledger before a message is sent.
package enum PermissionNeed: Sendable, Hashable {
    case none
    /// Nothing is used up, but the person has to follow; that it was tried is noted, since it may be repeated.
    case follower
    case window
    case consent(template: String)
}
