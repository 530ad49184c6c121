/// Fills `{{name}}` and `{{name|default}}` in messages.
package struct TemplateValues: Sendable, Hashable {
    /// The names that every flow may use.
    package static let known = ["nickname", "remark", "openid", "scene", "account"]

    private var values: [String: String] = [:]

    package init(account: FlowAccount, flow: Flow, person: FlowPerson) {
        for (name, standard) in flow.variables {
            if let standard { values[name] = standard }
        }
        values["account"] = account.name
        values["openid"] = person.id
        values["scene"] = person.scene
        for (name, value) in person.variables
        where Self.known.contains(name) || flow.variables.keys.contains(name) {
            if !value.isEmpty { values[name] = value }
        }
    }

    /// The same with values that come with the trigger, which win.
    package func adding(_ more: [String: String]) -> TemplateValues {
        var copy = self
        for (name, value) in more where !value.isEmpty { copy.values[name] = value }
        return copy
    }

    package func fill(_ text: String) -> String {
        var result = ""
        for part in TemplateText.parts(of: text) {
            switch part {
            case .text(let text): result += text
            case .variable(let name, let standard):
                let value = values[name].flatMap { $0.isEmpty ? nil : Self.safe($0) }
                result += value ?? standard ?? ""
            }
        }
        return result
    }

    package func fill(_ value: MessageValue) -> MessageValue {
        value.mapStrings { text, _ in fill(text) }
    }

    package func fill(_ message: FlowMessage) -> FlowMessage {
        var message = message
        message.body = fill(message.body)
        return message
    }

    /// People choose their own names: a value must not become a link or break a message's limits.
    private static func safe(_ value: String) -> String {
        value.cut(toBytes: FlowLimits.variableBytes)
            .replacing("<", with: "＜").replacing(">", with: "＞")
    }
}

/// The variables in a text.
package enum TemplateText {
    package enum Part: Sendable, Hashable {
        case text(String)
        case variable(name: String, standard: String?)
    }

    /// Splits a text; what looks like a variable but is none (no closing braces, no name) stays text.
    package static func parts(of text: String) -> [Part] {
        var parts: [Part] = []
        var rest = text[...]
        while let open = rest.firstRange(of: "{{") {
            guard let close = rest[open.upperBound...].firstRange(of: "}}") else { break }
            let inside = rest[open.upperBound..<close.lowerBound]
            let halves = inside.split(
                separator: "|",
                maxSplits: 1,
                omittingEmptySubsequences: false
            )
            let name = String(halves.first ?? "").trimmed
            if open.lowerBound > rest.startIndex {
                parts.append(.text(String(rest[..<open.lowerBound])))
            }
            if name.isEmpty || name.contains("{") {
                parts.append(.text(String(rest[open.lowerBound..<close.upperBound])))
            } else {
                parts.append(
                    .variable(name: name, standard: halves.count > 1 ? String(halves[1]) : nil)
                )
            }
            rest = rest[close.upperBound...]
        }
        if !rest.isEmpty { parts.append(.text(String(rest))) }
        return parts
    }

    /// Every variable of a message, with the way to the string that uses it.
    package static func variables(in value: MessageValue) -> [(
        name: String, standard: String?, path: String
    )] {
        var found: [(name: String, standard: String?, path: String)] = []
        value.forEachString { text, path in
            for case .variable(let name, let standard) in parts(of: text) {
                found.append((name, standard, path))
            }
        }
        return found
    }
}

extension String {
    /// The longest beginning of whole characters within so many bytes of UTF-8.
    func cut(toBytes limit: Int) -> String {
        guard utf8.count > limit else { return self }
        var end = startIndex
        var bytes = 0
        for index in indices {
            bytes += self[index].utf8.count
            if bytes > limit { break }
            end = self.index(after: index)
        }
        return String(self[..<end])
    }

    var trimmed: String {
        guard let first = firstIndex(where: { !$0.isWhitespace }),
            let last = lastIndex(where: { !$0.isWhitespace })
        else { return "" }
        return String(self[first...last])
    }
}
