package import BelfryCore

/// A sequence of messages that starts with something a person does, as its author wrote it.
package struct Flow: Sendable, Hashable {
    /// Names the flow in ids and addresses: 1 to 64 of `a-z 0-9 - _`.
    package var key: String
    /// For people to read.
    package var name: String
    package var trigger: FlowTrigger
    /// `nil`: the account's zone.
    package var zone: LocalZone?
    package var reentry: Reentry
    /// Checked when a person would enter.
    package var conditions: FlowConditions
    /// Sent inside the answer to the callback, free of any quota; `nil`: none.
    package var reply: FlowMessage?
    package var quietHours: QuietHours?
    /// Names that messages may use besides the known ones, with their defaults; `nil`: has to come with the trigger, or be given a
    /// default where it is used.
    package var variables: [String: String?]
    package var tracksLinks: Bool
    package var goal: FlowGoal?
    package var steps: [FlowStep]

    package init(
        key: String,
        name: String,
        trigger: FlowTrigger,
        zone: LocalZone? = nil,
        reentry: Reentry? = nil,
        conditions: FlowConditions = FlowConditions(),
        reply: FlowMessage? = nil,
        quietHours: QuietHours? = nil,
        variables: [String: String?] = [:],
        tracksLinks: Bool = true,
        goal: FlowGoal? = nil,
        steps: [FlowStep]
    ) {
        self.key = key
        self.name = name
        self.trigger = trigger
        self.zone = zone
        self.reentry = reentry ?? .usual(for: trigger)
        self.conditions = conditions
        self.reply = reply
        self.quietHours = quietHours
        self.variables = variables
        self.tracksLinks = tracksLinks
        self.goal = goal
        self.steps = steps
    }

    package func step(_ id: String) -> FlowStep? { steps.first { $0.id == id } }

    /// Media files that the messages name, to be uploaded before the flow is published.
    package var files: [MessageFile] {
        let messages = [reply].compactMap(\.self) + steps.map(\.message)
        var seen: Set<MessageFile> = []
        return messages.flatMap(\.files).filter { seen.insert($0).inserted }
    }
}

/// What a second trigger does to a person who is inside the flow or has been.
package enum Reentry: String, Sendable, Hashable, Codable, CaseIterable {
    /// Begins anew; what was pending is replaced.
    case restart
    /// Changes nothing while the person is inside; afterwards they may enter again.
    case ignore
    /// A person enters once and never again.
    case once

    /// A follow begins anew. Whoever writes or taps again while inside does not ask for the same messages again.
    package static func usual(for trigger: FlowTrigger) -> Reentry {
        if case .follow = trigger { return .restart }
        return .ignore
    }
}

/// What has to be so for a person to enter a flow, or for a step to be sent. All of it has to hold.
package struct FlowConditions: Sendable, Hashable {
    /// The person has all of these tags.
    package var tags: [String]
    /// The person has none of these tags.
    package var withoutTags: [String]
    /// The scene by which the person came matches one of these; empty: any.
    package var scenes: [ScenePattern]
    /// Whether the person has written since the flow began for them.
    package var answered: Bool?

    package init(
        tags: [String] = [],
        withoutTags: [String] = [],
        scenes: [ScenePattern] = [],
        answered: Bool? = nil
    ) {
        self.tags = tags
        self.withoutTags = withoutTags
        self.scenes = scenes
        self.answered = answered
    }

    package var isEmpty: Bool { self == FlowConditions() }

    /// The first condition that does not hold, in words; `nil` where all hold.
    func unmet(by person: FlowPerson, since started: Timestamp) -> String? {
        if let tag = tags.first(where: { !person.tags.contains($0) }) {
            return "the person does not have the tag '\(tag)'"
        }
        if let tag = withoutTags.first(where: { person.tags.contains($0) }) {
            return "the person has the tag '\(tag)'"
        }
        if !scenes.isEmpty, !scenes.contains(where: { $0.matches(person.scene ?? "") }) {
            return "the person came by another scene"
        }
        let hasAnswered = person.lastWrote.map { $0 > started } ?? false
        switch answered {
        case true where !hasAnswered: return "the person has not answered"
        case false where hasAnswered: return "the person has answered"
        default: return nil
        }
    }
}

/// What a flow is for. Reaching it ends the flow for that person, unless it only counts.
package struct FlowGoal: Sendable, Hashable {
    package var kind: Kind
    /// Whether nothing more is sent once it is reached.
    package var stops: Bool

    package enum Kind: Sendable, Hashable {
        /// The person writes.
        case answered
        /// The person gets this tag.
        case tag(String)
        /// The person follows a tracked link of this flow.
        case click
        /// The business server reports an event of this name.
        case event(String)
    }

    package init(_ kind: Kind, stops: Bool = true) {
        self.kind = kind
        self.stops = stops
    }

    package func isReached(by person: FlowPerson, since started: Timestamp) -> Bool {
        // The message that brought the person in is no answer to the flow.
        func happened(_ time: Timestamp?) -> Bool { time.map { $0 > started } ?? false }
        return switch kind {
        case .answered: happened(person.lastWrote)
        case .tag(let tag): person.tags.contains(tag)
        case .click: happened(person.lastClicked)
        case .event(let name): happened(person.events[name])
        }
    }
}
