import BelfryActivation
import BelfryCore
import BelfryDelivery
import BelfryRecords

/// A push as the API speaks of it.
enum PushFields {
    /// Reads `{"id", "account", "to", "due" | "delay", "channel", "priority", "expires", "merge", "payload"}`.
    static func read(_ fields: inout Fields, now: Timestamp) -> Push? {
        let id = fields.text("id", 1...PushLimits.idBytes)
        if PushID(id).isOwn { fields.note("id", "reserved", reserved) }
        let account = fields.optionalText("account", 0...PushLimits.accountBytes) ?? ""
        let person = fields.text("to", 1...PushLimits.personBytes)
        let channel = fields.text("channel", 1...PushLimits.channelBytes)
        let priority = fields.optionalText("priority")
        if let priority, Priority(name: priority) == nil {
            fields.note("priority", "value", "must be one of urgent, high, normal, low")
        }
        let due = due(&fields, now)
        let expires = fields.time("expires")
        if let due, let problem = expiryProblem(due: due, expires: expires) {
            fields.note("expires", "before_due", problem)
        }
        let merge = merge(&fields)
        let payload = payload(&fields)
        guard fields.problems.isEmpty, let due, let payload else { return nil }
        return Push(
            id: PushID(id),
            recipient: Recipient(account: account, person: person),
            due: due,
            expires: expires,
            priority: priority.flatMap { Priority(name: $0) } ?? .normal,
            channel: channel,
            merge: merge,
            payload: payload
        )
    }

    static let reserved = "must not begin with flow/ or reminder/: such pushes are Belfry's own"

    /// Whoever gives seconds in place of milliseconds would have his push sent at once.
    static func pastProblem(_ due: Timestamp, _ now: Timestamp) -> String? {
        guard due < now - .seconds(20 * 366 * 86_400) else { return nil }
        return
            "is more than 20 years ago; times are RFC 3339 or milliseconds, not seconds, since 1970"
    }

    /// What is wrong with an expiry: a push that expires when it becomes due, or before, is never sent.
    static func expiryProblem(due: Timestamp, expires: Timestamp?) -> String? {
        guard let expires, expires <= due else { return nil }
        return
            "has to be later than due (\(TimeText.render(due))): the push could never be sent"
    }

    static func json(_ pending: Pending) -> JSONValue {
        var value = json(pending.push)
        if case .object(var members) = value {
            members.append(.init("state", .string(pending.state.rawValue)))
            members.append(.init("asked", .time(pending.asked)))
            members.append(.init("attempt", .count(pending.attempt)))
            members.append(.init("accepted", .time(pending.accepted)))
            members.append(.init("sequence", .string(String(pending.sequence))))
            value = .object(members)
        }
        return value
    }

    /// With why it waits, where it is held or deferred.
    static func json(
        _ pending: Pending,
        _ overload: Overload?,
        heldBy hold: DeliveryRecord?,
        now: Timestamp
    ) -> JSONValue {
        let value = json(pending, heldBy: hold)
        guard pending.state == .scheduled, case .object(var members) = value,
            let until = overload?.deferredUntil(
                pending.push.priority,
                due: pending.push.due,
                now: now
            )
        else { return value }
        let cause = DeliveryCauses.overload(now - pending.push.due)
        members.append(
            .init(
                "deferred",
                [
                    "code": .string(cause.code), "message": .string(cause.message),
                    "until": .time(until),
                ]
            )
        )
        return .object(members)
    }

    private static func json(_ pending: Pending, heldBy hold: DeliveryRecord?) -> JSONValue {
        let value = json(pending)
        guard let hold, case .object(var members) = value else { return value }
        members.append(
            .init(
                "held",
                [
                    "state": .string(hold.state.description), "code": .string(hold.cause.code),
                    "message": .string(hold.cause.message),
                    "remedy": .string(hold.cause.remedy), "since": .time(hold.at),
                    "until": .time(pending.push.due),
                ]
            )
        )
        return .object(members)
    }

    static func json(_ push: Push) -> JSONValue {
        let merge = push.merge.map { merge -> JSONValue in
            [
                "key": .string(merge.key), "grace": .string(DurationText.inOneUnit(merge.grace)),
                "max_wait": .string(DurationText.inOneUnit(merge.maxWait)),
                "mode": merge.mode == .newest ? "newest" : "collect",
            ]
        }
        let value: JSONValue = [
            "id": .string(push.id.text),
            "account": .string(push.recipient.account),
            "to": .string(push.recipient.person),
            "due": .time(push.due),
            "expires": push.expires.map { .time($0) } ?? .null,
            "channel": .string(push.channel),
            "priority": .string(push.priority.name),
            "merge": merge ?? .null,
            "payload": payload(push.payload),
        ]
        return value.withoutNulls
    }

    /// JSON where it is JSON, else the text; bytes that are no text show as their length.
    private static func payload(_ bytes: [UInt8]) -> JSONValue {
        if let value = try? JSONValue(parsing: bytes) { return value }
        if let text = String(validating: bytes, as: UTF8.self) { return .string(text) }
        return ["bytes": .count(bytes.count)]
    }

    private static func due(_ fields: inout Fields, _ now: Timestamp) -> Timestamp? {
        let before = fields.problems.count
        let due = fields.time("due")
        let delay = fields.duration("delay")
        if due != nil, delay != nil {
            fields.note("delay", "ambiguous", "give either due or delay")
            return nil
        }
        if let due, let problem = pastProblem(due, now) { fields.note("due", "too_past", problem) }
        if let result = due ?? delay.map({ now + $0 }) { return result }
        if fields.problems.count == before {
            fields.note("due", "missing", "is needed, or delay")
        }
        return nil
    }

    private static func merge(_ fields: inout Fields) -> MergeRule? {
        guard var nested = fields.object("merge") else { return nil }
        let key = nested.text("key", 1...PushLimits.mergeKeyBytes)
        let grace = nested.duration("grace") ?? .zero
        let maxWait = nested.duration("max_wait") ?? grace
        let mode = nested.choice("mode", MergeName.self) ?? .newest
        fields.absorb(nested)
        return MergeRule(
            key: key,
            grace: grace,
            maxWait: maxWait,
            mode: mode == .newest ? .newest : .collect
        )
    }

    private static func payload(_ fields: inout Fields) -> [UInt8]? {
        guard let value = fields.value("payload") else {
            fields.note("payload", "missing", "is needed")
            return nil
        }
        let bytes = value.string.map { Array($0.utf8) } ?? value.bytes
        guard bytes.count <= PushLimits.payloadBytes else {
            fields.note(
                "payload",
                "length",
                "is \(bytes.count) bytes; at most \(PushLimits.payloadBytes) are allowed"
            )
            return nil
        }
        return bytes
    }
}

extension PushID {
    /// Whether it names a push that only flows and topics make.
    var isOwn: Bool { isOfFlow || isOfReminder }
}

/// The names of ``MergeRule/Mode`` in JSON.
enum MergeName: String, CaseIterable {
    case newest
    case collect
}

extension JSONValue {
    static func time(_ time: Timestamp) -> JSONValue { .string(TimeText.render(time)) }
    static func time(_ time: Timestamp?) -> JSONValue { time.map { .time($0) } ?? .null }
}

extension ScheduleOutcome {
    /// As the API says it.
    var name: String {
        switch self {
        case .accepted: "accepted"
        case .replaced: "replaced"
        case .parked, .parkedReplaced: "parked"
        case .merged: "merged"
        case .refusedTooFar: "error"
        }
    }
}

extension CancelOutcome {
    var name: String {
        switch self {
        case .cancelled: "cancelled"
        case .inFlight, .inFlightParked: "in_flight"
        case .gone: "gone"
        }
    }
}
