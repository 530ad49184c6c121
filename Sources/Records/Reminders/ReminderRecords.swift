package import BelfryCore

extension Records {
    package var reminders: ReminderRecords { ReminderRecords(records: self) }
}

/// Who is to be reminded of what. Of who has left nothing is sent, whatever is still pending.
package struct ReminderRecords: Sendable {
    let records: Records

    /// Those of `keys` that are known; at most 10,000 at once.
    package func find(_ keys: some Collection<ReminderKey> & Sendable) async throws(RecordsError)
        -> [ReminderKey: ReminderRecord]
    {
        try check(batch: keys.count)
        return try await records.database.read { session throws(RecordsError) in
            try ReminderRecord.load(keys, session)
        }
    }

    /// What a gate asks: the reminders themselves, and everything else that these people are subscribed to.
    package func find(
        _ keys: some Collection<ReminderKey> & Sendable,
        subscriptionsOf people: some Collection<Recipient> & Sendable
    ) async throws(RecordsError) -> (
        own: [ReminderKey: ReminderRecord], others: [Recipient: [ReminderRecord]]
    ) {
        try check(batch: keys.count)
        return try await records.database.read { session throws(RecordsError) in
            (
                try ReminderRecord.load(keys, session),
                try ReminderRecord.subscribed(people, session)
            )
        }
    }

    /// Writes where people stand, and lines of the history, in one transaction.
    ///
    /// Each has to have the revision of its topic: where the topic has moved since it was looked at, it is noted that not all have followed.
    ///
    /// - Parameters:
    ///   - reminders: no two of one key; at most 10,000.
    ///   - isFollowing: a topic takes people along; whoever has cancelled or was reminded since, through another server, stays so.
    package func save(
        _ reminders: [ReminderRecord],
        adding lines: [DeliveryRecord] = [],
        isFollowing: Bool = false
    ) async throws(RecordsError) {
        try check(batch: reminders.count)
        for reminder in reminders { try reminder.validate() }
        let history = try DeliveryRecord.bind(lines)
        let now = records.clock.now()
        let revisions = Dictionary(
            reminders.map { ($0.topic, $0.revision) },
            uniquingKeysWith: min
        )
        try await records.database.write { session throws(RecordsError) in
            try ReminderRecord.save(
                reminders,
                isFollowing: isFollowing,
                at: now,
                session
            )
            for (topic, revision) in revisions {
                try session.run(
                    "UPDATE topics SET moved = ? WHERE topic = ? AND revision > ? AND moved > ?",
                    [.integer(revision), .text(topic), .integer(revision), .integer(revision)]
                )
            }
            try DeliveryRecord.append(history, session)
        }
    }

    /// Those who are subscribed to a topic and whose push was planned for an earlier revision, by person.
    ///
    /// - Parameter after: go on behind this person.
    package func behind(_ topic: String, revision: Int, after person: String, limit: Int)
        async throws(RecordsError) -> [ReminderRecord]
    {
        let rows = try await records.database.read { session throws(RecordsError) in
            try session.rows(
                ReminderRecord.select + """
                     WHERE topic = ? AND person > ? AND state = 'subscribed' AND revision < ?
                    ORDER BY person LIMIT ?
                    """,
                [.text(topic), .text(person), .integer(revision), .integer(limit)]
            )
        }
        return try rows.map { row throws(RecordsError) in try ReminderRecord(row) }
    }

    /// The reminders of a topic, by person.
    ///
    /// - Parameters:
    ///   - state: only those.
    ///   - cursor: `next` of the page before.
    package func list(
        topic: String,
        state: ReminderRecord.State? = nil,
        limit: Int = 100,
        cursor: String? = nil
    ) async throws(RecordsError) -> Page<ReminderRecord> {
        let after = try cursor.map { text throws(RecordsError) in try PageCursor(text) }
        let limit = Page<ReminderRecord>.bounded(limit)
        let filter = state == nil ? "" : " AND state = ?"
        let values: [SQLValue] =
            [.text(topic), .text(after?.text ?? "")]
            + (state.map { [.text($0.rawValue)] } ?? []) + [.integer(limit + 1)]
        let rows = try await records.database.read { session throws(RecordsError) in
            try session.rows(
                ReminderRecord.select
                    + " WHERE topic = ? AND person > ?\(filter) ORDER BY person LIMIT ?",
                values
            )
        }
        let items = try rows.map { row throws(RecordsError) in try ReminderRecord(row) }
        return Page(items, limit: limit) { PageCursor(text: $0.recipient.person) }
    }

    /// The reminders of one person, the last due first; at most 1,000.
    package func of(_ recipient: Recipient) async throws(RecordsError) -> [ReminderRecord] {
        let rows = try await records.database.read { session throws(RecordsError) in
            try session.rows(
                ReminderRecord.select
                    + " WHERE account = ? AND person = ? ORDER BY due DESC, topic LIMIT ?",
                [
                    .text(recipient.account), .text(recipient.person),
                    .integer(TextLimits.page),
                ]
            )
        }
        return try rows.map { row throws(RecordsError) in try ReminderRecord(row) }
    }

    /// How many stand where with a topic.
    ///
    /// - Returns: also how many of those who are subscribed have a push that was planned for an earlier revision.
    package func counts(topic: String, revision: Int) async throws(RecordsError) -> (
        states: [ReminderRecord.State: Int], behind: Int
    ) {
        // Named, so that the index is read and not the rows.
        let states = ReminderRecord.State.allCases.map { "'\($0.rawValue)'" }
            .joined(separator: ", ")
        let rows = try await records.database.read { session throws(RecordsError) in
            try session.rows(
                """
                SELECT state, revision, count(*) FROM reminders
                WHERE state IN (\(states)) AND topic = ? GROUP BY state, revision
                """,
                [.text(topic)]
            )
        }
        var standing: [ReminderRecord.State: Int] = [:]
        var behind = 0
        for row in rows {
            guard let state = ReminderRecord.State(rawValue: row.text(0)) else { continue }
            standing[state, default: 0] += row.integer(2)
            if state == .subscribed, row.integer(1) < revision { behind += row.integer(2) }
        }
        return (standing, behind)
    }
}
