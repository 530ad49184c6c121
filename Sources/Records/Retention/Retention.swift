package import BelfryCore

/// What grows with time and may be forgotten.
package enum RetainedArea: String, Sendable, Hashable, CaseIterable {
    /// Callbacks noted against repetition, with their stored answers.
    case inbound
    /// Reservations whose push never came to a settlement.
    case reservations
    case deliveries
    /// Dead letters that were retried or discarded; open ones stay.
    case deadLetters = "dead_letters"
    case minuteCounters = "minute_counters"
    case hourCounters = "hour_counters"
    case idempotency
    case audit
    case links
    case media
    /// All versions of a setting but its newest.
    case settings
    /// Marks of erasures.
    case erasures
    /// Reminders of topics that opened, whatever became of them.
    case reminders
    /// Topics that opened and that nobody is subscribed to any more.
    case topics
    /// People who have unsubscribed, with everything that names them.
    case unsubscribed
}

/// How long each area is kept; an area without a time is kept for ever.
package struct RetentionRules: Sendable, Hashable {
    package var life: [RetainedArea: Duration]

    /// - Parameter life: WeChat repeats a callback within seconds, temporary media live three days, idempotency keys a day; the rest
    ///   is what people look back at.
    package init(
        life: [RetainedArea: Duration] = [
            .inbound: .days(2), .reservations: .days(7), .deliveries: .days(90),
            .deadLetters: .days(30), .minuteCounters: .days(1), .hourCounters: .days(400),
            .idempotency: IdempotencyRecords.life, .audit: .days(400), .links: .days(180),
            .media: .days(4), .settings: .days(400), .erasures: ErasureRecords.life,
            .reminders: .days(90), .topics: .days(90), .unsubscribed: .days(30),
        ]
    ) {
        self.life = life
    }
}

extension Records {
    /// Forgets what is older than `before` in one area, the oldest first, in one short transaction: the writer is never held up for
    /// long, whatever has gathered. Called again as long as it returns `limit`.
    ///
    /// - Parameter limit: how many rows at most, 1 to 10,000; for `unsubscribed`: how many people.
    /// - Returns: how many went.
    @discardableResult
    package func purge(_ area: RetainedArea, before: Timestamp, limit: Int = 1000)
        async throws(RecordsError) -> Int
    {
        let limit = min(max(1, limit), 10_000)
        if area == .unsubscribed { return try await eraseUnsubscribed(before, limit) }
        return try await database.write { session throws(RecordsError) in
            try session.run(area.statement, area.values(before) + [.integer(limit)])
        }
    }

    /// One bounded purge of each area that has a time.
    ///
    /// - Returns: whether there may be more: call again soon, not at the next hour.
    @discardableResult
    package func purge(_ rules: RetentionRules, limit: Int = 1000) async throws(RecordsError)
        -> Bool
    {
        let now = clock.now()
        var more = false
        for area in RetainedArea.allCases {
            guard let life = rules.life[area] else { continue }
            let gone = try await purge(area, before: now - life, limit: limit)
            more = more || gone >= limit
        }
        return more
    }

    private func eraseUnsubscribed(_ before: Timestamp, _ limit: Int)
        async throws(RecordsError) -> Int
    {
        try await database.write { session throws(RecordsError) in
            let rows = try session.rows(
                """
                SELECT account, person FROM people
                WHERE subscribed = 0 AND unsubscribed_at < ? ORDER BY unsubscribed_at LIMIT ?
                """,
                [.time(before), .integer(limit)]
            )
            for row in rows {
                try PeopleRecords.erase(
                    Recipient(account: row.text(0), person: row.text(1)),
                    session
                )
            }
            return rows.count
        }
    }
}

extension RetainedArea {
    /// Bounded with a subselect: `DELETE … LIMIT` is known to few databases. Each is served by an index on the age.
    fileprivate var statement: String {
        switch self {
        case .inbound:
            // `first_seen` too: a callback that arrives with an old CreateTime may still be repeated.
            Self.delete("inbound", "at, dedupe_key", "first_seen < ? AND at < ?", "at")
        case .reservations:
            Self.delete("reservations", "push, sequence", "made > 0 AND made < ?", "made")
        case .deliveries: Self.delete("deliveries", "id", "at < ?", "at")
        case .deadLetters: Self.delete("dead_letters", "id", "ended < ?", "ended")
        case .minuteCounters, .hourCounters:
            Self.delete(
                "counters",
                "account, span, start, name",
                "span = ? AND start < ?",
                "start"
            )
        case .idempotency: Self.delete("idempotency", "dedupe_key", "begun < ?", "begun")
        case .audit: Self.delete("audit", "id", "at < ?", "at")
        case .links: Self.delete("links", "code", "created < ?", "created")
        case .media: Self.delete("media", "app_id, hash, kind", "created < ?", "created")
        case .erasures: Self.delete("erasures", "mark", "at < ?", "at")
        case .settings:
            Self.delete(
                "settings",
                "name, version",
                """
                at < ? AND version < (SELECT max(n.version) FROM settings n
                    WHERE n.name = settings.name)
                """,
                "at"
            )
        case .reminders:
            """
            DELETE FROM reminders WHERE (topic, person) IN
                (SELECT r.topic, r.person FROM topics t JOIN reminders r ON r.topic = t.topic
                WHERE t.opening < ? ORDER BY t.opening LIMIT ?)
            """
        case .topics:
            Self.delete(
                "topics",
                "topic",
                """
                opening < ? AND NOT EXISTS
                    (SELECT 1 FROM reminders WHERE reminders.topic = topics.topic)
                """,
                "opening"
            )
        case .unsubscribed: ""
        }
    }

    fileprivate func values(_ before: Timestamp) -> [SQLValue] {
        switch self {
        case .inbound: [.time(before), .time(before)]
        case .minuteCounters: [.integer(CounterSpan.minute.rawValue), .time(before)]
        case .hourCounters: [.integer(CounterSpan.hour.rawValue), .time(before)]
        default: [.time(before)]
        }
    }

    private static func delete(
        _ table: String,
        _ key: String,
        _ filter: String,
        _ order: String
    ) -> String {
        let columns = key.contains(",") ? "(\(key))" : key
        return """
            DELETE FROM \(table) WHERE \(columns) IN
                (SELECT \(key) FROM \(table) WHERE \(filter) ORDER BY \(order) LIMIT ?)
            """
    }
}
