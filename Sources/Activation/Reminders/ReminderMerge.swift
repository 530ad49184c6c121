package import BelfryCore

/// How near reminders of one person become one message.
///
/// Topics of one account with the same channel, mode and times go together. As everywhere (promise T8), one joins those before it if it is due within `grace` of
/// the last of them and within `maxWait` of the first. Nobody is told early: together they go when the last of them is due. So one that
/// is alone goes at its own second, and the order in which a person subscribed does not matter.
package struct ReminderMerge: Sendable, Hashable {
    package enum Mode: String, Sendable, Hashable, CaseIterable {
        /// The one that opens last is told; the others end as `merged`.
        case newest
        /// All of them are told in one message.
        case collect
    }

    package var mode: Mode
    /// How near the next one has to be.
    package var grace: Duration
    /// The longest that the first one may be made to wait.
    package var maxWait: Duration
    /// What is sent where `collect` brought several together; `nil`: each one's own message, after one another.
    package var message: JSONValue?

    package init(
        mode: Mode,
        grace: Duration,
        maxWait: Duration? = nil,
        message: JSONValue? = nil
    ) {
        self.mode = mode
        self.grace = grace
        self.maxWait = maxWait ?? grace
        self.message = message
    }

    var problems: [InvalidTopic] {
        var found: [InvalidTopic] = []
        if grace <= .zero || grace > ReminderTopic.waitMax {
            found.append(InvalidTopic("merge/grace", "must be more than 0s, and at most 49d"))
        }
        if maxWait < grace || maxWait > ReminderTopic.waitMax {
            found.append(InvalidTopic("merge/max_wait", "must be at least grace, and at most 49d"))
        }
        if mode == .newest, message != nil {
            found.append(
                InvalidTopic("merge/message", "is for the mode collect: newest sends one's own")
            )
        }
        return found
    }

    func meets(_ other: ReminderMerge) -> Bool {
        (mode, grace, maxWait) == (other.mode, other.grace, other.maxWait)
    }
}

/// The reminders of one person that go out as one.
package struct ReminderGroup: Sendable, Hashable {
    /// By the time they are due.
    package var members: [ReminderTopic]

    /// The group that a reminder belongs to.
    ///
    /// - Parameter others: what else the person waits for. Those that do not merge with it do not matter.
    package init(of topic: ReminderTopic, among others: [ReminderTopic]) {
        guard let merge = topic.merge else {
            members = [topic]
            return
        }
        let near = others.filter { $0.key != topic.key && $0.meets(topic) } + [topic]
        var group: [ReminderTopic] = []
        for member in near.sorted(by: { ($0.due, $0.key) < ($1.due, $1.key) }) {
            if let first = group.first, let last = group.last,
                member.due > last.due + merge.grace || member.due > first.due + merge.maxWait
            {
                if group.contains(where: { $0.key == topic.key }) { break }
                group = []
            }
            group.append(member)
        }
        members = group
    }

    /// The one that is due last: it carries the others.
    package var newest: ReminderTopic { members[members.count - 1] }

    /// When they go.
    package var due: Timestamp { newest.due }
}

extension ReminderTopic {
    func meets(_ other: ReminderTopic) -> Bool {
        guard let merge, let theirs = other.merge else { return false }
        return account == other.account && channel == other.channel && merge.meets(theirs)
    }
}
