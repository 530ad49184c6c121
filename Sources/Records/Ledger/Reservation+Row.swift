import BelfryCore

extension Reservation {
    static let columns = [
        "push", "sequence", "account", "person", "source", "granted", "made", "channel", "due",
        "attempt", "flow", "step", "taken", "maker",
    ]
    static let select = "SELECT \(columns.joined(separator: ", ")) FROM reservations"

    func values(_ key: ReservationKey) -> [SQLValue] {
        [
            .text(key.push.text), .bits(key.sequence), .text(key.recipient.account),
            .text(key.recipient.person), .text(source), .time(granted), .time(made),
            .text(send?.channel), .time(send?.due), .integer(send?.attempt), .text(send?.flow),
            .text(send?.step), .time(taken), .text(maker?.text),
        ]
    }

    init(_ row: SQLRow) {
        self.init(
            source: row.text(4),
            granted: row.time(5),
            taken: row.optionalTime(12),
            made: row.time(6),
            maker: row.optionalText(13).flatMap(ReservationMaker.init)
        )
        guard let channel = row.optionalText(7) else { return }
        send = ReservedSend(
            channel: channel,
            due: row.time(8),
            attempt: row.integer(9),
            flow: row.optionalText(10),
            step: row.optionalText(11)
        )
    }
}

extension ReservationKey {
    init(_ row: SQLRow) {
        self.init(
            recipient: Recipient(account: row.text(2), person: row.text(3)),
            push: PushID(row.text(0)),
            sequence: row.bits(1)
        )
    }
}
