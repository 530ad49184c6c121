package import BelfryCore

/// One message of a flow: when, what and how.
package struct FlowStep: Sendable, Hashable {
    /// Names the step across versions: 1 to 64 of `a-z 0-9 - _`, once in a flow.
    package var id: String
    package var timing: StepTiming
    package var message: FlowMessage
    /// Checked when the step is about to be sent.
    package var conditions: FlowConditions
    package var priority: Priority
    /// Steps of several flows with the same key that fall close together become one message, the newest. The others are collected in the
    /// push, so that their flows go on (``FlowPlanner/afterMerge(_:versions:person:now:)``).
    package var merge: MergeRule?
    /// Whether quiet hours do not apply: for what answers something the person has just done.
    package var ignoresQuietHours: Bool
    /// What to do when nothing may be sent at the step's moment; `nil`: skip, as nothing was said.
    package var otherwise: Otherwise?
    /// How long after its moment the step is still worth sending; `nil`: as long as it takes.
    package var expires: Duration?

    package init(
        id: String,
        timing: StepTiming,
        message: FlowMessage,
        conditions: FlowConditions = FlowConditions(),
        priority: Priority = .normal,
        merge: MergeRule? = nil,
        ignoresQuietHours: Bool = false,
        otherwise: Otherwise? = nil,
        expires: Duration? = nil
    ) {
        self.id = id
        self.timing = timing
        self.message = message
        self.conditions = conditions
        self.priority = priority
        self.merge = merge
        self.ignoresQuietHours = ignoresQuietHours
        self.otherwise = otherwise
        self.expires = expires
    }

    /// How long after its moment the step's push lasts: a step that is held does not expire before its hold does.
    var lasts: Duration? {
        guard let expires, case .hold(let hold)? = otherwise else { return expires }
        return max(expires, hold)
    }
}

/// When a step is due.
package enum StepTiming: Sendable, Hashable {
    case immediately
    /// So long after the step before; for the first step, after the person entered.
    case after(Duration)
    /// So long after the person entered the flow.
    case afterEntry(Duration)
    /// So long after the person last wrote since entering. Nobody waits for that longer than `wait`: then the step is skipped.
    case afterMessage(Duration, wait: Duration)
    /// At this local time, `day` days after the day of entry; without a day, the next time the clock shows it.
    case at(LocalTime, day: Int?)

    /// How long a step waits for the person to write unless it says otherwise.
    package static let usualWait = Duration.days(2)
}

/// What to do with a step when nothing may be sent.
package enum Otherwise: Sendable, Hashable {
    case skip
    /// Keep it until the person opens a window, at most so long after its moment; then skip.
    case hold(Duration)
    case channel(OtherChannel)
}

/// Another way to the person that needs no window.
package struct OtherChannel: Sendable, Hashable {
    package var kind: Kind
    /// The channel's own form.
    package var body: MessageValue

    package enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        /// A template message: service notices only, no marketing.
        case template
        /// A subscribe notification: needs the person's consent to the template.
        case subscribe
        /// A signed call to the business server, which may know another way.
        case webhook
    }

    package init(_ kind: Kind, body: MessageValue) {
        self.kind = kind
        self.body = body
    }

    package var templateID: String? { body["template_id"]?.text }

    /// What has to be reserved before it is sent.
    package var permission: PermissionNeed {
        switch kind {
        case .template: .follower
        case .subscribe: .consent(template: templateID ?? "")
        case .webhook: .none
        }
    }

    /// What a person would read, short: for logs, the simulator and previews.
    package var preview: String {
        guard let templateID else { return kind.rawValue }
        guard case .object(let data)? = body["data"] else { return templateID }
        let values = data.compactMap { $0.value["value"]?.text }
        return ([templateID] + values).joined(separator: " · ")
    }
}

/// What a flow may measure; a longer one is a mistake far more often than a wish.
package enum FlowLimits {
    package static let sourceBytes = 256 * 1024
    package static let keyLength = 64
    package static let nameLength = 200
    package static let steps = 100
    /// Nobody waits longer than a year for the next message.
    package static let delay = Duration.days(366)
    package static let days = 366
    package static let keywords = 100
    package static let variables = 50
    /// Bytes of one variable's value; longer values are cut at a character.
    package static let variableBytes = 512
}
