package import BelfryCore
package import BelfryRecords

/// Deliveries as the API, the event stream and the console speak of them.
package enum DeliveryFields {
    package static func json(_ delivery: DeliveryRecord) -> JSONValue {
        [
            "id": .string(String(delivery.id)),
            "push": .string(delivery.push.text),
            "sequence": .string(String(delivery.sequence)),
            "attempt": .count(delivery.attempt),
            "account": .string(delivery.recipient.account),
            "to": .string(delivery.recipient.person),
            "flow": .text(delivery.flow),
            "step": .text(delivery.step),
            "channel": .string(delivery.channel),
            "asked": .time(delivery.asked),
            "due": .time(delivery.due),
            "at": .time(delivery.at),
            "state": .string(delivery.state.description),
            "reason": cause(delivery.cause),
            "lateness_ms": delivery.latenessMilliseconds.map { .count($0) } ?? .null,
            "held_ms": .integer(max(.zero, delivery.due - delivery.asked).milliseconds),
            "held_for": .text(delivery.heldFor?.rawValue),
            "reference": .text(delivery.reference),
        ]
    }

    package static func cause(_ cause: SendCause) -> JSONValue {
        if cause.code.isEmpty, cause.message.isEmpty { return .null }
        return [
            "code": .string(cause.code), "message": .string(cause.message),
            "remedy": .string(cause.remedy),
        ]
    }

    static func page<Item>(_ page: Page<Item>, _ json: (Item) -> JSONValue) -> JSONValue {
        ["items": .array(page.items.map(json)), "next_cursor": .text(page.next)]
    }
}

extension LiveEvent {
    /// What became of a push, for whoever watches.
    package static func delivery(_ record: DeliveryRecord) -> LiveEvent {
        LiveEvent(
            topic: "delivery",
            account: record.recipient.account,
            person: record.recipient.person,
            data: DeliveryFields.json(record)
        )
    }
}
