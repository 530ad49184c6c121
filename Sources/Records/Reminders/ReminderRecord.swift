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
    private static let byKey = ManyPairs(columns, of: "reminders", by: ("topic", "person"))
    /// The state is written so that it leads into no index: all who are subscribed stand next to each other there.
    private static let subscribed = ManyPairs(
        columns,
        of: "reminders",
        by: ("account", "person"),
        where: "t.state || '' = 'subscribed'"
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
        for row in try byKey.rows(session, Set(keys).map { ($0.topic, $0.person) }) {
            let reminder = try ReminderRecord(row)
            found[reminder.key] = reminder
        }
        return found
    }

    static func subscribed(_ people: some Sequence<Recipient>, _ session: any SQLSession)
        throws(RecordsError) -> [Recipient: [ReminderRecord]]
    {
        var found: [Recipient: [ReminderRecord]] = [:]
        for row in try subscribed.rows(session, Set(people).map { ($0.account, $0.person) }) {
            let reminder = try ReminderRecord(row)
            found[reminder.recipient, default: []].append(reminder)
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
    /// What was sent stays so; what ended otherwise was subscribed, and has not been taken up again since. Of several ends of one reminder the first counts.
    static func apply(_ ends: [ReminderEnd], _ session: any SQLSession) throws(RecordsError) {
        let isSent = { (end: ReminderEnd) in end.outcome == .sent || end.outcome == .unknown }
        try ended.run(session, values(ends.filter { !isSent($0) }))
        try sent.run(session, values(ends.filter(isSent)))
    }

    private static func values(_ ends: [ReminderEnd]) -> [SQLValue] {
        var seen: Set<ReminderKey> = []
        return ends.filter { seen.insert($0.key).inserted }.flatMap { end in
            [
                SQLValue.text(end.key.topic), .text(end.key.person), .text(end.outcome.rawValue),
                .time(end.at),
            ]
        }
    }

    private static let sent = ends(as: "sent", if: "state <> 'sent'")
    private static let ended = ends(as: "ended", if: "state = 'subscribed'")

    private static func ends(as state: String, if condition: String) -> MultiRow {
        MultiRow(
            """
            UPDATE reminders
            SET state = '\(state)', outcome = ends.column3, updated = CAST(ends.column4 AS bigint)
            FROM (VALUES
            """,
            columns: 4,
            """
            ) AS ends WHERE topic = ends.column1 AND person = ends.column2
                AND since <= CAST(ends.column4 AS bigint) AND \(condition)
            """
        )
    }
}
