import BelfryCore

extension Records {
    package var topics: TopicRecords { TopicRecords(records: self) }
}

/// What people are reminded of.
package struct TopicRecords: Sendable {
    let records: Records

    package func find(_ topic: String) async throws(RecordsError) -> TopicRecord? {
        try await records.database.read { session throws(RecordsError) in
            try TopicRecord.find(topic, session)
        }
    }

    /// Reads a topic, lets `change` say what becomes of it, and writes that, in one transaction.
    ///
    /// - Parameter change: may run twice; must not block.
    @discardableResult
    package func update(
        _ topic: String,
        _ change: @escaping @Sendable (TopicRecord?) throws(RecordsError) -> TopicRecord
    ) async throws(RecordsError) -> TopicRecord {
        let now = records.clock.now()
        return try await records.database.write { session throws(RecordsError) in
            let known = try TopicRecord.find(topic, session)
            var changed = try change(known)
            changed.created = known?.created ?? now
            // Of two states of a topic the later one is the newer one, whatever the clocks of the servers that wrote them say.
            changed.updated = known.map { max(now, $0.updated + .milliseconds(1)) } ?? now
            try changed.save(session)
            try BookChanges.note(.topics, topic, session)
            return changed
        }
    }

    /// Topics by their keys.
    ///
    /// - Parameter cursor: `next` of the page before.
    package func list(account: String? = nil, limit: Int = 100, cursor: String? = nil)
        async throws(RecordsError) -> Page<TopicRecord>
    {
        let after = try cursor.map { text throws(RecordsError) in try PageCursor(text) }
        let limit = Page<TopicRecord>.bounded(limit)
        let filter = account == nil ? "" : "account = ? AND "
        let values =
            (account.map { [SQLValue.text($0)] } ?? [])
            + [.text(after?.text ?? ""), .integer(limit + 1)]
        let rows = try await records.database.read { session throws(RecordsError) in
            try session.rows(
                TopicRecord.select + " WHERE \(filter)topic > ? ORDER BY topic LIMIT ?",
                values
            )
        }
        let items = try rows.map { row throws(RecordsError) in try TopicRecord(row) }
        return Page(items, limit: limit) { PageCursor(text: $0.topic) }
    }

    /// The topics whose pending pushes have not all reached their newest revision.
    package func toMove() async throws(RecordsError) -> [String] {
        try await records.database.read { session throws(RecordsError) in
            try session.rows(
                "SELECT topic FROM topics WHERE moved < revision ORDER BY topic LIMIT 10000",
                []
            ).map { $0.text(0) }
        }
    }

    /// Notes that every pending push has reached a revision, if that is so.
    ///
    /// - Returns: whether it is.
    package func finishMove(_ topic: String, to revision: Int) async throws(RecordsError) -> Bool {
        try await records.database.write { session throws(RecordsError) in
            try session.run(
                """
                UPDATE topics SET moved = ? WHERE topic = ? AND revision >= ? AND NOT EXISTS
                    (SELECT 1 FROM reminders r WHERE r.topic = topics.topic
                    AND r.state = 'subscribed' AND r.revision < ?)
                """,
                [.integer(revision), .text(topic), .integer(revision), .integer(revision)]
            ) > 0
        }
    }
}
