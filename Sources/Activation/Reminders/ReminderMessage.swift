import BelfryCore
import BelfryWeChat

/// Makes the message of one reminder, or of several that go together.
package struct ReminderMessage: Sendable, Hashable {
    /// The channel's own form.
    package var body: [UInt8]
    /// The messages of the others, for channels that show several one by one.
    package var collected: [[UInt8]]

    /// The names that messages of reminders may use.
    package static let variables = [
        "title", "topic", "opening", "date", "time", "openid", "account", "count", "titles", "list",
    ]

    /// - Parameters:
    ///   - topics: what goes together, by the time it is due; never empty.
    ///   - carrier: whose message it is.
    ///   - account: its name and time zone are those of the message.
    package init(
        _ topics: [ReminderTopic],
        carrier: ReminderTopic,
        to person: String,
        account: FlowAccount
    ) {
        let values = ReminderValues(person: person, account: account, topics: topics)
        func body(_ topic: ReminderTopic) -> JSONValue { values.fill(topic.content, of: topic) }
        collected = []
        guard topics.count > 1, let merge = carrier.merge, merge.mode == .collect else {
            self.body = body(carrier).bytes
            return
        }
        if let message = merge.message {
            self.body = values.fill(message.content(for: carrier.channel), of: carrier).bytes
        } else if carrier.isOfWeChat {
            let texts = topics.compactMap { body($0)["text"]?["content"]?.string }
            self.body = texts.isEmpty ? body(carrier).bytes : JSONValue.text(lines: texts).bytes
        } else {
            let others = topics.filter { $0.key != carrier.key }
            collected = others.map { body($0).bytes }
            self.body = body(carrier).bytes
        }
    }
}

extension ReminderTopic {
    var isOfWeChat: Bool { ["wechat", "template", "subscribe"].contains(channel) }

    /// What is sent, with its variables.
    var content: JSONValue {
        if let message { return message.content(for: channel) }
        if isOfWeChat { return JSONValue.string("{{title}} {{opening}}").content(for: channel) }
        return [
            "topic": "{{topic}}", "title": "{{title}}", "opening": "{{opening}}",
            "opening_ms": .integer(opening.milliseconds),
        ]
    }

    /// What is wrong with the messages, as far as every channel would say so.
    var messageProblems: [InvalidTopic] {
        var found: [InvalidTopic] = []
        for (field, message) in [("message", message), ("merge/message", merge?.message)] {
            let unknown = message.map { JSONValue.unknownVariables(in: $0) } ?? []
            for name in unknown {
                let known = ReminderMessage.variables.joined(separator: ", ")
                found.append(InvalidTopic(field, "{{\(name)}} is none of \(known)"))
            }
        }
        if merge?.mode == .collect, merge?.message == nil, isOfWeChat,
            content["msgtype"]?.string != "text"
        {
            found.append(
                InvalidTopic(
                    "merge/message",
                    "is needed: on the channel \(channel) only texts can be put together"
                )
            )
        }
        return found
    }
}

extension JSONValue {
    /// A text stands for the channel's simplest message.
    func content(for channel: String) -> JSONValue {
        guard let text = string else { return self }
        return channel == "wechat"
            ? ["msgtype": "text", "text": ["content": .string(text)]] : ["text": .string(text)]
    }

    /// One text message of several, as many as it takes.
    fileprivate static func text(lines: [String]) -> JSONValue {
        var shown = lines
        func text() -> String {
            let left = lines.count - shown.count
            return (shown + (left > 0 ? ["… +\(left)"] : [])).joined(separator: "\n")
        }
        while shown.count > 1, text().utf8.count > CustomerMessage.textBytes { shown.removeLast() }
        return JSONValue.string(text()).content(for: "wechat")
    }

    fileprivate static func unknownVariables(in value: JSONValue) -> [String] {
        switch value {
        case .string(let text):
            TemplateText.parts(of: text).compactMap { part in
                guard case .variable(let name, _) = part else { return nil }
                return ReminderMessage.variables.contains(name) ? nil : name
            }
        case .array(let items): items.flatMap(unknownVariables)
        case .object(let members): members.flatMap { unknownVariables(in: $0.value) }
        case .null, .bool, .integer, .unsigned, .number: []
        }
    }
}

/// What the variables of a message become.
struct ReminderValues {
    let person: String
    let account: FlowAccount
    let topics: [ReminderTopic]

    func fill(_ value: JSONValue, of topic: ReminderTopic) -> JSONValue {
        switch value {
        case .string(let text): .string(fill(text, of: topic))
        case .array(let items): .array(items.map { fill($0, of: topic) })
        case .object(let members):
            .object(members.map { .init($0.name, fill($0.value, of: topic)) })
        case .null, .bool, .integer, .unsigned, .number: value
        }
    }

    private func fill(_ text: String, of topic: ReminderTopic) -> String {
        TemplateText.parts(of: text).map { part in
            switch part {
            case .text(let text): text
            case .variable(let name, let standard): value(name, topic) ?? standard ?? ""
            }
        }.joined()
    }

    private func value(_ name: String, _ topic: ReminderTopic) -> String? {
        switch name {
        case "title": topic.title
        case "topic": topic.key
        case "opening": opening(topic)
        case "date": String(opening(topic).prefix(10))
        case "time": String(opening(topic).dropFirst(11))
        case "openid": person
        case "account": account.name
        case "count": String(topics.count)
        case "titles": topics.map(\.title).joined(separator: "、")
        case "list":
            topics.map { "\(opening($0).dropFirst(11)) \($0.title)" }
                .joined(separator: "\n")
        default: nil
        }
    }

    /// `2026-11-21 10:00`, with seconds where there are any.
    private func opening(_ topic: ReminderTopic) -> String {
        let text = account.zone.text(topic.opening)
        return text.hasSuffix(":00") ? String(text.dropLast(3)) : text
    }
}
