package import BelfryCore

/// What the other side told, after it had accepted a message, about what became of it.
package struct DeliveryReport: Sendable, Hashable {
    /// Names it: the same in every repetition. As ``InboundRecord/key``.
    package var key: String
    /// The other side's time of the report; the same in every repetition.
    package var at: Timestamp
    package var recipient: Recipient
    package var channel: String
    /// The other side's id of the message; `nil` where it is not told.
    package var reference: String?
    /// The reference that the delivery has until the other side tells an id: a notification's template.
    package var standIn: String?
    /// How it ended: ``BelfryCore/Outcome/sent`` where it was delivered.
    package var outcome: Outcome
    package var cause: SendCause

    /// The code of a delivery of which the other side has told that it arrived.
    package static let delivered = "delivered"
    /// Reports come within minutes; what is older than this is not taken for the message of a report that names none.
    package static let horizon = Duration.days(1)

    package init(
        key: String,
        at: Timestamp,
        recipient: Recipient,
        channel: String,
        reference: String? = nil,
        standIn: String? = nil,
        outcome: Outcome,
        cause: SendCause
    ) {
        self.key = key
        self.at = at
        self.recipient = recipient
        self.channel = channel
        self.reference = reference
        self.standIn = standIn
        self.outcome = outcome
        self.cause = cause
    }
}

/// What a report did.
package enum ReportResult: Sendable, Hashable {
    /// The delivery, as it stands in the history now.
    case noted(DeliveryRecord)
    /// The report was seen before, or had been told of this message already.
    case known
    /// No delivery fits, as yet.
    case unmatched
}

extension DeliveryRecords {
    /// Corrects the end of the delivery that the report is about; nothing is added, so that a push keeps its one end.
    package func note(_ report: DeliveryReport) async throws(RecordsError) -> ReportResult {
        try check(report.key, "key", 1...TextLimits.dedupeKey)
        let now = records.clock.now()
        return try await records.database.write { session throws(RecordsError) in
            let seen = try session.row(
                "SELECT first_seen FROM inbound WHERE at = ? AND dedupe_key = ?",
                [.time(report.at), .text(report.key)]
            )
            if seen != nil { return .known }
            let candidates = try report.candidates(session)
            guard let before = report.choose(candidates) else { return .unmatched }
            try session.run(
                "INSERT INTO inbound (at, dedupe_key, first_seen) VALUES (?, ?, ?)",
                [.time(report.at), .text(report.key), .time(now)]
            )
            guard !before.isReported else { return .known }
            return .noted(try report.correct(before, session))
        }
    }
}

extension DeliveryRecord {
    fileprivate var isAccepted: Bool { state == .ended(.sent) || state == .ended(.unknown) }

    fileprivate var isReported: Bool {
        !isAccepted || cause.code == DeliveryReport.delivered
    }
}

extension DeliveryReport {
    /// The person's newest ends on the channel, oldest first.
    fileprivate func candidates(_ session: any SQLSession) throws(RecordsError)
        -> [DeliveryRecord]
    {
        let rows = try session.rows(
            DeliveryRecord.select + """
                 WHERE account = ? AND person = ? AND channel = ? AND at >= ?
                ORDER BY at DESC, id DESC LIMIT 100
                """,
            [
                .text(recipient.account), .text(recipient.person), .text(channel),
                .time(at - Self.horizon),
            ]
        )
        var found: [DeliveryRecord] = []
        for row in rows.reversed() { found.append(try DeliveryRecord(row)) }
        return found
    }

    /// The message of that id; else the oldest that no report has told of and that may be meant.
    fileprivate func choose(_ candidates: [DeliveryRecord]) -> DeliveryRecord? {
        if let reference, let named = candidates.first(where: { $0.reference == reference }) {
            return named
        }
        return candidates.first { !$0.isReported && mayMean($0) }
    }

    private func mayMean(_ delivery: DeliveryRecord) -> Bool {
        guard let own = delivery.reference else { return true }
        return standIn.map { $0 == own } ?? (reference == nil)
    }

    fileprivate func correct(_ before: DeliveryRecord, _ session: any SQLSession)
        throws(RecordsError) -> DeliveryRecord
    {
        var after = before
        after.state = .ended(outcome)
        after.cause = cause
        if !before.cause.message.isEmpty { after.cause.message += "; \(before.cause.message)" }
        after.reference = reference ?? before.reference
        after.shorten()
        try session.run(
            """
            UPDATE deliveries SET state = ?, code = ?, message = ?, remedy = ?, reference = ?
            WHERE id = ?
            """,
            [
                .text(after.state.description), .text(after.cause.code),
                .text(after.cause.message), .text(after.cause.remedy), .text(after.reference),
                .integer(before.id),
            ]
        )
        if after.state != before.state {
            var counts = CounterChanges()
            counts.add(before, times: -1)
            counts.add(after, times: 1)
            try counts.save(session)
        }
        return after
    }
}

extension CounterChanges {
    fileprivate mutating func add(_ delivery: DeliveryRecord, times: Int) {
        add(
            account: delivery.recipient.account,
            state: delivery.state.description,
            at: delivery.at,
            lateness: delivery.latenessMilliseconds,
            times: times
        )
    }
}
