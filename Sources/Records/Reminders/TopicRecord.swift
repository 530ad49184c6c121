package import BelfryCore

/// Something that people are reminded of, as it is kept.
package struct TopicRecord: Sendable, Hashable {
    package enum State: String, Sendable, Hashable, CaseIterable {
        case open
        /// Nobody is reminded any more; it stays closed.
        case closed
    }

    package var topic: String
    package var account: String
    package var state: State = .open
    package var opening: Timestamp
    /// The rest of it as JSON; what it means is not this module's business.
    package var document: String
    /// Counts the changes that concern pending pushes.
    package var revision: Int = 1
    /// The revision that every pending push has reached.
    package var moved: Int = 1
    /// Set by the records.
    package var created = Timestamp(milliseconds: 0)
    package var updated = Timestamp(milliseconds: 0)

    package init(topic: String, account: String, opening: Timestamp, document: String) {
        self.topic = topic
        self.account = account
        self.opening = opening
        self.document = document
    }
}

extension TopicRecord {
    private static let columns = [
        "topic", "account", "state", "opening", "document", "revision", "moved", "created",
        "updated",
    ]
    static let select = "SELECT " + columns.joined(separator: ", ") + " FROM topics"
    private static let upsert = MultiRow(
        "INSERT INTO topics (\(columns.joined(separator: ", "))) VALUES",
        columns: columns.count,
        "ON CONFLICT (topic) DO UPDATE SET "
            + columns.dropFirst().map { "\($0) = excluded.\($0)" }.joined(separator: ", ")
    )

    init(_ row: SQLRow) throws(RecordsError) {
        self.init(
            topic: row.text(0),
            account: row.text(1),
            opening: row.time(3),
            document: row.text(4)
        )
        guard let state = State(rawValue: row.text(2)) else {
            throw RecordsError(.corrupt, "state: the stored word \(row.text(2)) is not known")
        }
        self.state = state
        revision = row.integer(5)
        moved = row.integer(6)
        created = row.time(7)
        updated = row.time(8)
    }

    static func find(_ topic: String, _ session: any SQLSession) throws(RecordsError)
        -> TopicRecord?
    {
        try session.row(select + " WHERE topic = ?", [.text(topic)]).map {
            row throws(RecordsError) in try TopicRecord(row)
        }
    }

    func save(_ session: any SQLSession) throws(RecordsError) {
        try check(topic, "topic", 1...TextLimits.name)
        try check(account, "account", 1...PushLimits.accountBytes)
        try check(document, "document", 2...2 * TextLimits.document)
        try Self.upsert.run(
            session,
            [
                .text(topic), .text(account), .text(state.rawValue), .time(opening),
                .text(document), .integer(revision), .integer(moved), .time(created),
                .time(updated),
            ]
        )
    }
}
