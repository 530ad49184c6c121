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
    /// - Parameter decide: pure; may run twice.
    /// - Returns: what `decide` returns, after its changes are durable.
    package func update<Value: Sendable>(
        _ keys: [ReservationKey],
        _ decide: @escaping @Sendable (inout Ledger) throws(RecordsError) -> Value
    ) async throws(RecordsError) -> Value {
        try check(batch: keys.count)
        for key in keys {
            try check(key.recipient)
            try check(key.push.text, "push", 1...PushLimits.idBytes)
        }
        let now = records.clock.now()
        return try await records.database.write { session throws(RecordsError) in
            var ledger = try Ledger.load(keys, now: now, session)
            let value = try decide(&ledger)
            try ledger.save(session)
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
    private static let byPush = ManyKeys(
        "SELECT push, sequence, account, person, source, granted, made FROM reservations WHERE push"
    )
    private static let upsert = MultiRow(
        """
        INSERT INTO reservations (push, sequence, account, person, source, granted, made) VALUES
        """,
        columns: 7,
        """
        ON CONFLICT (push, sequence) DO UPDATE SET
            source = excluded.source, granted = excluded.granted, made = excluded.made
        """
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
            let key = ReservationKey(
                recipient: Recipient(account: row.text(2), person: row.text(3)),
                push: PushID(row.text(0)),
                sequence: row.bits(1)
            )
            guard asked.contains(key) else { continue }
            reservations[key] = Reservation(
                source: row.text(4),
                granted: row.time(5),
                made: row.time(6)
            )
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
            written += [
                .text(key.push.text), .bits(key.sequence), .text(key.recipient.account),
                .text(key.recipient.person), .text(reservation.source),
                .time(reservation.granted), .time(reservation.made),
            ]
        }
        try Self.upsert.run(session, written)
    }
}
