import BelfryCore

extension Records {
    package var ledger: LedgerRecords { LedgerRecords(records: self) }
}

/// The permission ledger: who may still be sent how much, and which pushes have reserved a part of it.
package struct LedgerRecords: Sendable {
    let records: Records

    /// Reserves, settles, releases or corrects: loads what `keys` name, lets `decide` change it, and writes the changes, all in one
    /// transaction, so that two deliveries never spend the same message.
    ///
    /// - Parameters:
    ///   - lines: added to the history in the same transaction: a crash leaves both or neither.
    ///   - insiders: what changes in who is inside flows, likewise; at most 10,000.
    ///   - reminders: which of them have ended, likewise.
    ///   - decide: pure; may run twice.
    /// - Returns: what `decide` returns, after its changes are durable.
    package func update<Value: Sendable>(
        _ keys: [ReservationKey],
        adding lines: [DeliveryRecord] = [],
        insiders: [InsiderChange] = [],
        reminders: [ReminderEnd] = [],
        _ decide: @escaping @Sendable (inout Ledger) throws(RecordsError) -> Value
    ) async throws(RecordsError) -> Value {
        try check(batch: keys.count)
        for key in keys {
            try check(key.recipient)
            try check(key.push.text, "push", 1...PushLimits.idBytes)
        }
        let history = try DeliveryRecord.bind(lines)
        try InsiderChange.check(insiders)
        let now = records.clock.now()
        return try await records.database.write { session throws(RecordsError) in
            var ledger = try Ledger.load(keys, now: now, session)
            let value = try decide(&ledger)
            try ledger.save(session)
            try DeliveryRecord.append(history, session)
            try InsiderChange.apply(insiders, session)
            try ReminderEnd.apply(reminders, session)
            return value
        }
    }

    /// What `keys` name, as it is now, for looking only.
    package func load(_ keys: [ReservationKey]) async throws(RecordsError) -> Ledger {
        try check(batch: keys.count)
        let now = records.clock.now()
        return try await records.database.read { session throws(RecordsError) in
            try Ledger.load(keys, now: now, session)
        }
    }
}

extension Ledger {
    private static let byPush = ManyKeys("\(Reservation.select) WHERE push")
    private static let upsert = MultiRow(
        "INSERT INTO reservations (\(Reservation.columns.joined(separator: ", "))) VALUES",
        columns: Reservation.columns.count,
        "ON CONFLICT (push, sequence) DO UPDATE SET "
            + Reservation.columns.dropFirst(4).map { "\($0) = excluded.\($0)" }
            .joined(separator: ", ")
    )

    fileprivate static func load(
        _ keys: [ReservationKey],
        now: Timestamp,
        _ session: any SQLSession
    ) throws(RecordsError) -> Ledger {
        let people = try PersonRecord.load(keys.map(\.recipient), session)
        let asked = Set(keys)
        var reservations: [ReservationKey: Reservation] = [:]
        let pushes = Set(keys.map(\.push)).map { SQLValue.text($0.text) }
        for row in try byPush.rows(session, [], pushes) {
            let key = ReservationKey(row)
            if asked.contains(key) { reservations[key] = Reservation(row) }
        }
        return Ledger(people: people, reservations: reservations, now: now)
    }

    fileprivate func save(_ session: any SQLSession) throws(RecordsError) {
        var changed: [PersonRecord] = []
        for recipient in changedPeople {
            guard var person = people[recipient] else { continue }
            person.updated = now
            changed.append(person)
        }
        try PersonRecord.save(changed, session)
        var written: [SQLValue] = []
        for key in changedReservations {
            guard let reservation = reservations[key] else {
                try session.run(
                    "DELETE FROM reservations WHERE push = ? AND sequence = ?",
                    [.text(key.push.text), .bits(key.sequence)]
                )
                continue
            }
            try check(reservation.source, "reservation.source", 1...TextLimits.name)
            written += reservation.values(key)
        }
        try Self.upsert.run(session, written)
    }
}
