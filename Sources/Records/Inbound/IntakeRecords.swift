package import BelfryCore

extension Records {
    package var intake: IntakeRecords { IntakeRecords(records: self) }
}

/// Where callbacks become durable, once each.
package struct IntakeRecords: Sendable {
    let records: Records

    /// Accepts callbacks: each is noted so that its repetitions are known, its person brought up to date and their permissions
    /// changed, in one transaction for the whole batch.
    ///
    /// - Parameters:
    ///   - batch: at most 10,000 callbacks.
    ///   - lines: what the callbacks led to, for the history; at most 10,000.
    ///   - insiders: what they change in who is inside flows; at most 10,000.
    ///   - permit: given the callback, the person after it, and whether it counted (``IntakeChange/counted``), changes the person's
    ///     grants and their uses. Pure; may run twice.
    /// - Returns: one result for each callback, in order.
    package func accept(
        _ batch: [InboundRecord],
        lines: [DeliveryRecord] = [],
        insiders: [InsiderChange] = [],
        permit: @escaping @Sendable (InboundRecord, inout PersonRecord, Bool) -> Void
    ) async throws(RecordsError) -> [IntakeResult] {
        try check(batch: batch.count)
        let now = records.clock.now()
        let bound = try DeliveryRecord.bind(lines)
        try InsiderChange.check(insiders)
        return try await records.database.write { session throws(RecordsError) in
            var intake = Intake(batch, now: now)
            try intake.markNew(session)
            try intake.changePeople(session, permit)
            try InsiderChange.apply(insiders, session)
            try DeliveryRecord.append(bound, session)
            return try intake.results(session)
        }
    }

    /// Stores what was answered to a callback, for its repetitions.
    package func remember(answer: [UInt8], key: String, at: Timestamp) async throws(RecordsError) {
        guard answer.count <= TextLimits.answer else {
            throw RecordsError(.invalid, "answer: is \(answer.count) bytes")
        }
        try await records.database.write { session throws(RecordsError) in
            _ = try session.run(
                "UPDATE inbound SET answer = ? WHERE at = ? AND dedupe_key = ?",
                [.blob(answer), .time(at), .text(key)]
            )
        }
    }
}

/// One batch on its way through the transaction.
private struct Intake {
    struct Mark: Hashable {
        var at: Timestamp
        var key: String
    }

    private static let insert = MultiRow(
        "INSERT INTO inbound (at, dedupe_key, first_seen, answer) VALUES",
        columns: 4,
        "ON CONFLICT (at, dedupe_key) DO NOTHING RETURNING at, dedupe_key"
    )

    let batch: [InboundRecord]
    let now: Timestamp
    var results: [IntakeResult?]

    init(_ batch: [InboundRecord], now: Timestamp) {
        self.batch = batch
        self.now = now
        results = Array(repeating: nil, count: batch.count)
    }

    /// Refuses what breaks a limit, and marks what was seen before, here or in an earlier batch.
    mutating func markNew(_ session: any SQLSession) throws(RecordsError) {
        var values: [SQLValue] = []
        for (index, record) in batch.enumerated() {
            do throws(RecordsError) {
                try Self.validate(record)
                values += [
                    .time(record.at), .text(record.key), .time(now), .blob(record.answer),
                ]
            } catch { results[index] = .refused(error) }
        }
        var new: Set<Mark> = []
        for row in try Self.insert.rows(session, values) {
            new.insert(Mark(at: row.time(0), key: row.text(1)))
        }
        for (index, record) in batch.enumerated() where results[index] == nil {
            if new.remove(Mark(at: record.at, key: record.key)) == nil {
                results[index] = .duplicate(answer: nil)
            }
        }
    }

    mutating func changePeople(
        _ session: any SQLSession,
        _ permit: (InboundRecord, inout PersonRecord, Bool) -> Void
    ) throws(RecordsError) {
        let new = batch.indices.filter { results[$0] == nil }
        var people = try PersonRecord.load(new.map { batch[$0].recipient }, session)
        for index in new {
            let record = batch[index]
            let before = people[record.recipient]
            var person = before ?? PersonRecord(recipient: record.recipient, created: now)
            let counted = person.apply(record.change, at: record.at)
            person.updated = now
            permit(record, &person, counted)
            people[record.recipient] = person
            results[index] = .accepted(
                IntakeChange(before: before, after: person, counted: counted)
            )
        }
        let touched = Set(new.map { batch[$0].recipient })
        try PersonRecord.save(touched.compactMap { people[$0] }, session)
    }

    /// The results, with the stored answers of duplicates.
    func results(_ session: any SQLSession) throws(RecordsError) -> [IntakeResult] {
        var complete: [IntakeResult] = []
        for (index, result) in results.enumerated() {
            guard case .duplicate = result else {
                complete.append(result ?? .duplicate(answer: nil))
                continue
            }
            let row = try session.row(
                "SELECT answer FROM inbound WHERE at = ? AND dedupe_key = ?",
                [.time(batch[index].at), .text(batch[index].key)]
            )
            complete.append(.duplicate(answer: row?.optionalBlob(0)))
        }
        return complete
    }

    private static func validate(_ record: InboundRecord) throws(RecordsError) {
        try check(record.key, "key", 1...TextLimits.dedupeKey)
        try check(record.recipient)
        guard (record.answer?.count ?? 0) <= TextLimits.answer else {
            throw RecordsError(.invalid, "answer: is larger than \(TextLimits.answer) bytes")
        }
    }
}
