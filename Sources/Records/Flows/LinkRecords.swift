package import BelfryCore

/// A tracked link: `/l/<code>` leads to `url` and counts.
package struct LinkRecord: Sendable, Hashable {
    /// Chosen by the caller, derived from its cause, so that making it again changes nothing.
    package var code: String
    package var url: String
    package var recipient: Recipient
    package var push: PushID
    package var flow: String?
    package var step: String?
    package var created: Timestamp
    package var clicks = 0
    package var lastClick: Timestamp?

    package init(
        code: String,
        url: String,
        recipient: Recipient,
        push: PushID,
        flow: String? = nil,
        step: String? = nil,
        created: Timestamp
    ) {
        self.code = code
        self.url = url
        self.recipient = recipient
        self.push = push
        self.flow = flow
        self.step = step
        self.created = created
    }
}

extension Records {
    package var links: LinkRecords { LinkRecords(records: self) }
}

/// Tracked links.
package struct LinkRecords: Sendable {
    private static let insert = MultiRow(
        "INSERT INTO links (code, account, person, url, push, flow, step, created, clicks) VALUES",
        columns: 9,
        "ON CONFLICT (code) DO NOTHING"
    )
    private static let columns =
        "code, account, person, url, push, flow, step, created, clicks, last_click"

    let records: Records

    /// Makes links; codes that exist already stay as they are.
    package func create(_ links: [LinkRecord]) async throws(RecordsError) {
        try check(batch: links.count)
        var values: [SQLValue] = []
        for link in links {
            try check(link.code, "code", 1...TextLimits.name)
            try check(link.url, "url", 1...TextLimits.url)
            try check(link.recipient)
            try check(link.push.text, "push", 1...PushLimits.idBytes)
            try check(link.flow, "flow", 1...TextLimits.name)
            values += [
                .text(link.code), .text(link.recipient.account), .text(link.recipient.person),
                .text(link.url), .text(link.push.text), .text(link.flow), .text(link.step),
                .time(link.created), .integer(0),
            ]
        }
        let bound = values
        try await records.database.write { session throws(RecordsError) in
            try Self.insert.run(session, bound)
        }
    }

    /// Counts a click.
    ///
    /// - Returns: the link with the click counted; `nil` for an unknown code.
    package func click(_ code: String) async throws(RecordsError) -> LinkRecord? {
        guard (1...TextLimits.name).contains(code.utf8.count) else { return nil }
        let now = records.clock.now()
        return try await records.database.write { session throws(RecordsError) in
            try session.row(
                """
                UPDATE links SET clicks = clicks + 1, last_click = ? WHERE code = ?
                RETURNING \(Self.columns)
                """,
                [.time(now), .text(code)]
            ).map(LinkRecord.init)
        }
    }

    package func find(_ code: String) async throws(RecordsError) -> LinkRecord? {
        try await records.database.read { session throws(RecordsError) in
            try session.row("SELECT \(Self.columns) FROM links WHERE code = ?", [.text(code)])
                .map(LinkRecord.init)
        }
    }
}

extension LinkRecord {
    fileprivate init(_ row: SQLRow) {
        self.init(
            code: row.text(0),
            url: row.text(3),
            recipient: Recipient(account: row.text(1), person: row.text(2)),
            push: PushID(row.text(4)),
            flow: row.optionalText(5),
            step: row.optionalText(6),
            created: row.time(7)
        )
        clicks = row.integer(8)
        lastClick = row.optionalTime(9)
    }
}
