package import BelfryCore

/// Something that opens at a given moment, and what is sent to everybody who asked to be reminded of it.
///
/// The message is made when it is sent: a corrected text, title or hour reaches everybody who has not got it yet.
package struct ReminderTopic: Sendable, Hashable {
    /// Names it on the whole server; see ``ReminderID``.
    package var key: String
    /// The account that sends it.
    package var account: String
    /// What `{{title}}` becomes.
    package var title: String
    /// When it opens.
    package var opening: Timestamp
    /// How long before the opening people are reminded.
    package var lead: Duration
    /// The channel that carries it.
    package var channel: String
    /// What is sent, with variables in it; `nil`: ``ReminderMessage`` has one for each channel.
    package var message: JSONValue?
    /// `nil`: every reminder goes out alone.
    package var merge: ReminderMerge?
    package var priority: Priority
    /// How long after the opening it is still worth sending; `nil`: always.
    package var expiresAfter: Duration?

    package init(
        key: String,
        account: String,
        title: String? = nil,
        opening: Timestamp,
        lead: Duration = .zero,
        channel: String,
        message: JSONValue? = nil,
        merge: ReminderMerge? = nil,
        priority: Priority = .normal,
        expiresAfter: Duration? = .hours(1)
    ) {
        self.key = key
        self.account = account
        self.title = title ?? key
        self.opening = opening
        self.lead = lead
        self.channel = channel
        self.message = message
        self.merge = merge
        self.priority = priority
        self.expiresAfter = expiresAfter
    }

    /// When people are reminded.
    package var due: Timestamp { opening - lead }

    /// When it is no longer worth sending; `nil`: never.
    package var expires: Timestamp? { expiresAfter.map { opening + $0 } }

    package func isExpired(at time: Timestamp) -> Bool { expires.map { $0 <= time } ?? false }

    /// The push of one person. The timeline holds it until it is due; who is still subscribed, and what goes together, is decided then.
    package func push(for person: String) -> Push {
        Push(
            id: ReminderID(topic: key, person: person).push,
            recipient: Recipient(account: account, person: person),
            due: due,
            expires: expires,
            priority: priority,
            channel: channel,
            payload: JSONValue.object([.init("topic", .string(key))]).bytes
        )
    }

    /// Whether a change to `other` concerns the pushes that are pending, and not only what they will say.
    package func movesPushes(to other: ReminderTopic) -> Bool {
        (due, expires, priority, channel) != (
            other.due, other.expires, other.priority, other.channel
        )
    }
}

/// Names the reminder of one person: `reminder/<topic>/<person>`. Derived from its cause, so that repeating a subscription changes nothing.
package struct ReminderID: Sendable, Hashable {
    package var topic: String
    package var person: String

    package init(topic: String, person: String) {
        self.topic = topic
        self.person = person
    }

    /// - Returns: `nil` for pushes that are no reminder.
    package init?(_ push: PushID) {
        let parts = push.text.split(
            separator: "/",
            maxSplits: 2,
            omittingEmptySubsequences: false
        )
        guard parts.count == 3, parts[0] == "reminder" else { return nil }
        self.init(topic: String(parts[1]), person: String(parts[2]))
    }

    package var push: PushID { PushID("reminder/\(topic)/\(person)") }
}

extension PushID {
    /// Whether it is a person's reminder.
    package var isOfReminder: Bool { text.hasPrefix("reminder/") }
}
