import BelfryActivation
import BelfryCore
import BelfryRecords

/// Topics as the API speaks of them, and as they are kept: the kept document has the same members.
enum TopicFields {
    /// Reads everything but the key.
    ///
    /// - Parameter zone: of the account, for an opening without an offset.
    static func read(_ fields: inout Fields, key: String, zone: (String) -> LocalZone?)
        -> ReminderTopic?
    {
        let account = fields.text("account", 1...PushLimits.accountBytes)
        let title = fields.optionalText("title", 1...ReminderTopic.titleBytes)
        let opening = opening(&fields, zone(account))
        let lead = fields.duration("lead") ?? .zero
        let channel = fields.text("channel", 1...PushLimits.channelBytes)
        let message = message(&fields, "message")
        let merge = merge(&fields)
        let priority = priority(&fields)
        let isEndless = fields.has("expires_after") && fields.value("expires_after") == nil
        let expiresAfter = isEndless ? nil : fields.duration("expires_after") ?? .hours(1)
        guard fields.problems.isEmpty, let opening else { return nil }
        let topic = ReminderTopic(
            key: key,
            account: account,
            title: title,
            opening: opening,
            lead: lead,
            channel: channel,
            message: message,
            merge: merge,
            priority: priority,
            expiresAfter: expiresAfter
        )
        for problem in topic.problems { fields.note(problem.field, "invalid", problem.problem) }
        return topic
    }

    /// The end of the year 9999, as far as RFC 3339 reaches.
    private static let latest: Int64 = 253_402_300_799_999

    private static func opening(_ fields: inout Fields, _ zone: LocalZone?) -> Timestamp? {
        guard let value = fields.value("opening") else {
            fields.note("opening", "missing", "is needed")
            return nil
        }
        if let number = value.integer, 0...latest ~= number {
            return Timestamp(milliseconds: number)
        }
        if let text = value.string, let time = TimeText.parse(text) ?? zone?.parse(text) {
            return time
        }
        fields.note(
            "opening",
            "time",
            "must be an RFC 3339 time, such as \"2026-11-21T10:00:00+08:00\", one without offset in the account's time zone, or milliseconds since 1970"
        )
        return nil
    }

    private static func message(_ fields: inout Fields, _ name: String) -> JSONValue? {
        guard let value = fields.value(name) else { return nil }
        guard value.string != nil || value.members != nil else {
            fields.note(name, "type", "must be a text or an object, not \(value.kind)")
            return nil
        }
        guard !value.holdsNUL else {
            fields.note(name, "nul", "must not contain U+0000")
            return nil
        }
        guard value.bytes.count <= TextLimits.document / 2 else {
            fields.note(name, "length", "must be at most \(TextLimits.document / 2) bytes")
            return nil
        }
        return value
    }

    private static func merge(_ fields: inout Fields) -> ReminderMerge? {
        if fields.value("merge")?.string == "none" { return nil }
        guard var nested = fields.object("merge") else { return nil }
        let mode = nested.choice("mode", ReminderMerge.Mode.self) ?? .newest
        let grace = nested.duration("grace")
        if grace == nil, nested.problems.isEmpty {
            nested.note("grace", "missing", "is needed, such as \"60s\"")
        }
        let maxWait = nested.duration("max_wait")
        let message = message(&nested, "message")
        fields.absorb(nested)
        return ReminderMerge(
            mode: mode,
            grace: grace ?? .zero,
            maxWait: maxWait,
            message: message
        )
    }

    private static func priority(_ fields: inout Fields) -> Priority {
        guard let name = fields.optionalText("priority") else { return .normal }
        if let priority = Priority(name: name) { return priority }
        fields.note("priority", "value", "must be one of urgent, high, normal, low")
        return .normal
    }

    // MARK: Writing

    /// The members that say what a topic is; ``read(_:key:zone:)`` reads them.
    static func document(_ topic: ReminderTopic) -> JSONValue {
        let merge = topic.merge.map { merge in
            JSONValue.members([
                "mode": .string(merge.mode.rawValue),
                "grace": .string(DurationText.inOneUnit(merge.grace)),
                "max_wait": .string(DurationText.inOneUnit(merge.maxWait)),
                "message": merge.message,
            ])
        }
        return [
            "account": .string(topic.account),
            "title": .string(topic.title),
            "opening": .time(topic.opening),
            "lead": .string(DurationText.inOneUnit(topic.lead)),
            "channel": .string(topic.channel),
            "message": topic.message ?? .null,
            "merge": merge ?? .null,
            "priority": .string(topic.priority.name),
            "expires_after": topic.expiresAfter.map { .string(DurationText.inOneUnit($0)) }
                ?? .null,
        ]
    }

    /// What is kept of a topic.
    ///
    /// - Throws: ``Problem`` where it can no longer be read.
    static func topic(_ record: TopicRecord) throws(Problem) -> ReminderTopic {
        var fields = try Fields.parse(Array(record.document.utf8))
        let topic = read(&fields, key: record.topic) { _ in nil }
        try fields.finish()
        guard let topic else { throw Problem(.internalError, "the topic cannot be read") }
        return topic
    }

    static func json(_ record: TopicRecord, _ topic: ReminderTopic) -> JSONValue {
        let members = document(topic).members ?? []
        return .object(
            [.init("topic", .string(record.topic)), .init("state", .string(record.state.rawValue))]
                + members + [
                    .init("due", .time(topic.due)),
                    .init("expires", .time(topic.expires)),
                    .init("revision", .count(record.revision)),
                    .init("moving", .bool(record.moved < record.revision)),
                    .init("created", .time(record.created)),
                    .init("updated", .time(record.updated)),
                ]
        )
    }
}

/// A person's reminder as the API speaks of it.
enum ReminderFields {
    static func json(_ reminder: ReminderRecord) -> JSONValue {
        [
            "topic": .string(reminder.topic),
            "account": .string(reminder.recipient.account),
            "to": .string(reminder.recipient.person),
            "state": .string(reminder.state.rawValue),
            "outcome": .text(reminder.outcome?.rawValue),
            "due": .time(reminder.due),
            "since": .time(reminder.since),
            "updated": .time(reminder.updated),
            "push": .string(reminder.key.push.text),
        ]
    }
}
