import BelfryCore

/// A text on its way to become a version.
struct FlowDraft: Sendable {
    var account: String
    var flow: String
    var yaml: String
    var policy: String
    var note: String
    var now: Timestamp

    func save(_ session: any SQLSession) throws(RecordsError) -> FlowVersionRecord {
        let newest = try session.row(
            "SELECT newest FROM flows WHERE account = ? AND flow = ?",
            [.text(account), .text(flow)]
        )?.integer(0)
        if let newest,
            let same = try FlowVersionRecord.find(account, flow, newest, session),
            same.yaml == yaml, same.policy == policy
        {
            return same
        }
        let version = FlowVersionRecord(
            account: account,
            flow: flow,
            version: (newest ?? 0) + 1,
            yaml: yaml,
            policy: policy,
            note: note,
            created: now
        )
        try version.insert(session)
        return version
    }
}

extension FlowVersionRecord {
    static func find(_ account: String, _ flow: String, _ version: Int, _ session: any SQLSession)
        throws(RecordsError) -> FlowVersionRecord?
    {
        try session.row(
            """
            SELECT \(columns) FROM flow_versions v
            WHERE v.account = ? AND v.flow = ? AND v.version = ?
            """,
            [.text(account), .text(flow), .integer(version)]
        ).map(FlowVersionRecord.init)
    }

    fileprivate func insert(_ session: any SQLSession) throws(RecordsError) {
        try session.run(
            """
            INSERT INTO flow_versions (account, flow, version, yaml, policy, note, created)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .text(account), .text(flow), .integer(version), .text(yaml), .text(policy),
                .text(note), .time(created),
            ]
        )
        try session.run(
            """
            INSERT INTO flows (account, flow, state, newest, updated) VALUES (?, ?, 'draft', ?, ?)
            ON CONFLICT (account, flow) DO UPDATE
                SET newest = excluded.newest, updated = excluded.updated
            """,
            [.text(account), .text(flow), .integer(version), .time(created)]
        )
    }

    /// Makes this the version that people enter.
    func publish(by who: String, at now: Timestamp, _ session: any SQLSession)
        throws(RecordsError) -> FlowVersionRecord
    {
        try session.run(
            """
            UPDATE flow_versions SET published_at = ?, published_by = ?
            WHERE account = ? AND flow = ? AND version = ?
            """,
            [.time(now), .text(who), .text(account), .text(flow), .integer(version)]
        )
        try session.run(
            """
            UPDATE flows SET state = 'published', published = ?, updated = ?
            WHERE account = ? AND flow = ?
            """,
            [.integer(version), .time(now), .text(account), .text(flow)]
        )
        try BookChanges.note(.accounts, account, session)
        var published = self
        published.publishedAt = now
        published.publishedBy = who
        return published
    }
}
