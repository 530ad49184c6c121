package import BelfryCore

/// A flow of an account, whatever its versions.
package struct FlowRecord: Sendable, Hashable {
    package enum State: String, Sendable, Hashable, CaseIterable {
        /// Never published.
        case draft
        case published
        /// People inside stay where they are; nobody enters.
        case paused
        case archived
    }

    package var account: String
    package var flow: String
    package var state: State
    /// The highest version there is.
    package var newest: Int
    /// The version that people enter; `nil`: none was published.
    package var published: Int?
    package var updated: Timestamp
}

/// One version of a flow; its text never changes.
package struct FlowVersionRecord: Sendable, Hashable {
    package var account: String
    package var flow: String
    /// 1, 2, 3 …
    package var version: Int
    package var yaml: String
    /// What happens to people inside an older version: `pinned`, `follow-live`, `finish-on-old`, `exit`.
    package var policy: String
    package var note: String
    package var created: Timestamp
    package var publishedAt: Timestamp?
    package var publishedBy: String?
}

extension FlowRecord {
    static let select = "SELECT account, flow, state, newest, published, updated FROM flows"

    init(_ row: SQLRow) throws(RecordsError) {
        self.init(
            account: row.text(0),
            flow: row.text(1),
            state: try value(row.text(2), "state"),
            newest: row.integer(3),
            published: row.optionalInteger(4),
            updated: row.time(5)
        )
    }
}

extension FlowVersionRecord {
    static let columns =
        "v.account, v.flow, v.version, v.yaml, v.policy, v.note, v.created, v.published_at, v.published_by"

    init(_ row: SQLRow) {
        self.init(
            account: row.text(0),
            flow: row.text(1),
            version: row.integer(2),
            yaml: row.text(3),
            policy: row.text(4),
            note: row.text(5),
            created: row.time(6),
            publishedAt: row.optionalTime(7),
            publishedBy: row.optionalText(8)
        )
    }
}
