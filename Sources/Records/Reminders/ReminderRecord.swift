package import BelfryCore

/// Where one person stands with one topic.
package struct ReminderRecord: Sendable, Hashable {
    package enum State: String, Sendable, Hashable, CaseIterable {
        case subscribed
        case cancelled
        /// Handed over, or may have been.
        case sent
        /// Over without having been sent.
        case ended
    }

    package var topic: String
    package var recipient: Recipient
    package var state: State
    /// How it ended; `nil` before.
    package var outcome: Outcome?
    /// When its push is due, or was.
    package var due: Timestamp
    /// ``TopicRecord/revision`` that the push was planned for.
    package var revision: Int
    /// When the person subscribed last.
    package var since: Timestamp
    /// Set by the records.
    package var updated = Timestamp(milliseconds: 0)

    package init(
        topic: String,
        recipient: Recipient,
        state: State,
        due: Timestamp,
        revision: Int,
        since: Timestamp
    ) {
        self.topic = topic
        self.recipient = recipient
        self.state = state
        self.due = due
        self.revision = revision
        self.since = since
    }

    package var key: ReminderKey { ReminderKey(topic: topic, person: recipient.person) }
}

/// Names the reminder of one person.
package struct ReminderKey: Sendable, Hashable {
    package var topic: String
    package var person: String

    package init(topic: String, person: String) {
        self.topic = topic
        self.person = person
    }
}

/// How a reminder ended, to be noted together with its line in the history.
package struct ReminderEnd: Sendable, Hashable {
    package var key: ReminderKey
    package var outcome: Outcome
    package var at: Timestamp

    package init(key: ReminderKey, outcome: Outcome, at: Timestamp) {
        self.key = key
        self.outcome = outcome
        self.at = at
    }
}

extension ReminderRecord {
    private static let columns = [
        "topic", "person", "account", "state", "outcome", "due", "revision", "since", "updated",
    ]
    static let select = "SELECT " + columns.joined(separator: ", ") + " FROM reminders"
    private static let byKey = ManyKeys("\(select) WHERE topic = ? AND person")
    private static let subscribed = ManyKeys(
        "\(select) WHERE account = ? AND state = 'subscribed' AND person"
    )
    private static func upsert(_ condition: String = "") -> MultiRow {
        MultiRow(
            "INSERT INTO reminders (\(columns.joined(separator: ", "))) VALUES",
            columns: columns.count,
            "ON CONFLICT (topic, person) DO UPDATE SET "
                + columns.dropFirst(2).map { "\($0) = excluded.\($0)" }.joined(separator: ", ")
                + condition
        )
    }
    private static let upsert = upsert()
    private static let follow = upsert(
        " WHERE reminders.state = 'subscribed' AND reminders.revision < excluded.revision"
    )

    init(_ row: SQLRow) throws(RecordsError) {
        guard let state = State(rawValue: row.text(3)) else {
            throw RecordsError(.corrupt, "state: the stored word \(row.text(3)) is not known")
        }
        self.init(
            topic: row.text(0),
            recipient: Recipient(account: row.text(2), person: row.text(1)),
            state: state,
            due: row.time(5),
            revision: row.integer(6),
            since: row.time(7)
        )
        outcome = row.optionalText(4).flatMap { Outcome(rawValue: $0) }
        updated = row.time(8)
    }

    private var values: [SQLValue] {
        [
            .text(topic), .text(recipient.person), .text(recipient.account),
            .text(state.rawValue), .text(outcome?.rawValue), .time(due), .integer(revision),
            .time(since), .time(updated),
        ]
    }

    static func load(_ keys: some Sequence<ReminderKey>, _ session: any SQLSession)
        throws(RecordsError) -> [ReminderKey: ReminderRecord]
    {
        var found: [ReminderKey: ReminderRecord] = [:]
        for (topic, group) in Dictionary(grouping: Set(keys), by: \.topic) {
            let people = group.map { SQLValue.text($0.person) }
            for row in try byKey.rows(session, [.text(topic)], people) {
                let reminder = try ReminderRecord(row)
                found[reminder.key] = reminder
            }
        }
        return found
    }

    static func subscribed(_ people: some Sequence<Recipient>, _ session: any SQLSession)
        throws(RecordsError) -> [Recipient: [ReminderRecord]]
    {
        var found: [Recipient: [ReminderRecord]] = [:]
        for (account, group) in Dictionary(grouping: Set(people), by: \.account) {
            let keys = group.map { SQLValue.text($0.person) }
            // A chunk is filled up with its last key, which then comes once all the same.
            for row in try subscribed.rows(session, [.text(account)], keys) {
                let reminder = try ReminderRecord(row)
                found[reminder.recipient, default: []].append(reminder)
            }
        }
        return found
    }

    /// - Parameters:
    ///   - reminders: no two of one key.
    ///   - isFollowing: leaves alone whoever is no longer subscribed.
    static func save(
        _ reminders: [ReminderRecord],
        isFollowing: Bool,
        at now: Timestamp,
        _ session: any SQLSession
    ) throws(RecordsError) {
        var values: [SQLValue] = []
        values.reserveCapacity(reminders.count * columns.count)
        for var reminder in reminders {
            reminder.updated = now
            values += reminder.values
        }
        try (isFollowing ? follow : upsert).run(session, values)
    }

    func validate() throws(RecordsError) {
        try check(topic, "topic", 1...TextLimits.name)
        try check(recipient)
    }
}

extension ReminderEnd {
    /// What was sent stays so; what ended otherwise was subscribed, and has not been taken up again since.
    static func apply(_ ends: [ReminderEnd], _ session: any SQLSession) throws(RecordsError) {
        for end in ends {
            let isSent = end.outcome == .sent || end.outcome == .unknown
            try session.run(
                isSent ? sent : ended,
                [
                    .text(end.outcome.rawValue), .time(end.at), .text(end.key.topic),
                    .text(end.key.person), .time(end.at),
                ]
            )
        }
    }

    private static let sent = """
        UPDATE reminders SET state = 'sent', outcome = ?, updated = ?
        WHERE topic = ? AND person = ? AND since <= ? AND state <> 'sent'
        """
    private static let ended = """
        UPDATE reminders SET state = 'ended', outcome = ?, updated = ?
        WHERE topic = ? AND person = ? AND since <= ? AND state = 'subscribed'
        """
}
