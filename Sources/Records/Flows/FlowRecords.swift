import BelfryCore

extension Records {
    package var flows: FlowRecords { FlowRecords(records: self) }
}

/// Flows and all their versions.
package struct FlowRecords: Sendable {
    let records: Records

    /// Keeps a text as the flow's newest version, without anybody entering it. The text of the newest version again makes no new one.
    ///
    /// - Returns: the version that holds the text.
    @discardableResult
    package func save(
        account: String,
        flow: String,
        yaml: String,
        policy: String = "pinned",
        note: String = ""
    ) async throws(RecordsError) -> FlowVersionRecord {
        let draft = try draft(account, flow, yaml, policy, note)
        return try await records.database.write { session throws(RecordsError) in
            try draft.save(session)
        }
    }

    /// As ``save(account:flow:yaml:policy:note:)``, and from now on people enter this version.
    @discardableResult
    package func publish(
        account: String,
        flow: String,
        yaml: String,
        policy: String = "pinned",
        note: String = "",
        by who: String
    ) async throws(RecordsError) -> FlowVersionRecord {
        let draft = try draft(account, flow, yaml, policy, note)
        try check(who, "by", 1...TextLimits.name)
        return try await records.database.write { session throws(RecordsError) in
            let saved = try draft.save(session)
            return try saved.publish(by: who, at: draft.now, session)
        }
    }

    /// Publishes a version that is there already: a draft, or an older one again.
    ///
    /// - Throws: `invalid` where there is no such version.
    @discardableResult
    package func publish(account: String, flow: String, version: Int, by who: String)
        async throws(RecordsError) -> FlowVersionRecord
    {
        try check(who, "by", 1...TextLimits.name)
        let now = records.clock.now()
        return try await records.database.write { session throws(RecordsError) in
            guard let found = try FlowVersionRecord.find(account, flow, version, session) else {
                throw RecordsError(.invalid, "version: \(flow) has no version \(version)")
            }
            return try found.publish(by: who, at: now, session)
        }
    }

    /// Pauses, archives or resumes a flow.
    ///
    /// - Returns: whether there is such a flow.
    /// - Throws: `invalid` for `published` where no version was published yet, and for `draft` where one was.
    @discardableResult
    package func setState(account: String, flow: String, _ state: FlowRecord.State)
        async throws(RecordsError) -> Bool
    {
        let now = records.clock.now()
        return try await records.database.write { session throws(RecordsError) in
            let sql = FlowRecord.select + " WHERE account = ? AND flow = ?"
            guard let row = try session.row(sql, [.text(account), .text(flow)]) else {
                return false
            }
            let known = try FlowRecord(row)
            if (known.published == nil) != (state == .draft), state != .archived {
                throw RecordsError(
                    .invalid,
                    "state: \(flow) cannot become \(state.rawValue): "
                        + (known.published == nil ? "no version is published" : "one is published")
                )
            }
            try session.run(
                "UPDATE flows SET state = ?, updated = ? WHERE account = ? AND flow = ?",
                [.text(state.rawValue), .time(now), .text(account), .text(flow)]
            )
            try BookChanges.note(.accounts, account, session)
            return true
        }
    }

    /// The flows of an account, or of all. At most 10,000.
    package func all(account: String? = nil) async throws(RecordsError) -> [FlowRecord] {
        let filter = account == nil ? "" : " WHERE account = ?"
        let rows = try await records.database.read { session throws(RecordsError) in
            try session.rows(
                FlowRecord.select + filter + " ORDER BY account, flow LIMIT 10000",
                account.map { [.text($0)] } ?? []
            )
        }
        return try rows.map { row throws(RecordsError) in try FlowRecord(row) }
    }

    package func find(account: String, flow: String) async throws(RecordsError) -> FlowRecord? {
        let row = try await records.database.read { session throws(RecordsError) in
            try session.row(
                FlowRecord.select + " WHERE account = ? AND flow = ?",
                [.text(account), .text(flow)]
            )
        }
        return try row.map { row throws(RecordsError) in try FlowRecord(row) }
    }

    /// What people enter: the published versions of flows that are neither paused nor archived, of an account or of all.
    package func published(account: String? = nil) async throws(RecordsError)
        -> [FlowVersionRecord]
    {
        let filter = account == nil ? "" : " AND f.account = ?"
        return try await records.database.read { session throws(RecordsError) in
            try session.rows(
                """
                SELECT \(FlowVersionRecord.columns) FROM flows f
                JOIN flow_versions v
                    ON v.account = f.account AND v.flow = f.flow AND v.version = f.published
                WHERE f.state = 'published'\(filter) ORDER BY v.account, v.flow LIMIT 10000
                """,
                account.map { [.text($0)] } ?? []
            ).map(FlowVersionRecord.init)
        }
    }

    package func version(account: String, flow: String, _ version: Int)
        async throws(RecordsError) -> FlowVersionRecord?
    {
        try await records.database.read { session throws(RecordsError) in
            try FlowVersionRecord.find(account, flow, version, session)
        }
    }

    /// The versions of a flow, newest first.
    ///
    /// - Parameter before: only versions below this one.
    package func history(account: String, flow: String, before: Int = .max, limit: Int = 100)
        async throws(RecordsError) -> [FlowVersionRecord]
    {
        try await records.database.read { session throws(RecordsError) in
            try session.rows(
                """
                SELECT \(FlowVersionRecord.columns) FROM flow_versions v
                WHERE v.account = ? AND v.flow = ? AND v.version < ?
                ORDER BY v.version DESC LIMIT ?
                """,
                [
                    .text(account), .text(flow), .integer(before),
                    .integer(Page<FlowVersionRecord>.bounded(limit)),
                ]
            ).map(FlowVersionRecord.init)
        }
    }

    private func draft(
        _ account: String,
        _ flow: String,
        _ yaml: String,
        _ policy: String,
        _ note: String
    ) throws(RecordsError) -> FlowDraft {
        try check(account, "account", 1...PushLimits.accountBytes)
        try check(flow, "flow", 1...TextLimits.name)
        try check(yaml, "yaml", 1...TextLimits.flow)
        try check(policy, "policy", 1...TextLimits.name)
        try check(note, "note", 0...TextLimits.sentence)
        let now = records.clock.now()
        return FlowDraft(
            account: account,
            flow: flow,
            yaml: yaml,
            policy: policy,
            note: note,
            now: now
        )
    }
}
