import BelfryCore

/// Part of a message as its author wrote it, with variables in it: JSON of which people only ever write text.
package indirect enum MessageValue: Sendable, Hashable {
    case integer(Int64)
    case string(String)
    case array([MessageValue])
    case object([Member])

    package struct Member: Sendable, Hashable {
        package var key: String
        package var value: MessageValue

        package init(_ key: String, _ value: MessageValue) {
            self.key = key
            self.value = value
        }
    }

    /// The member of that name, `nil` where there is none or this is no object.
    package subscript(_ key: String) -> MessageValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key == key }?.value
    }

    package var text: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    /// As JSON, in raw UTF-8.
    package var bytes: [UInt8] { json.bytes }

    var json: JSONValue {
        switch self {
        case .integer(let number): .integer(number)
        case .string(let text): .string(text)
        case .array(let values): .array(values.map(\.json))
        case .object(let members): .object(members.map { .init($0.key, $0.value.json) })
        }
    }

    /// The same value with every string replaced; keys stay. The closure gets the way to the string, like `text.content`.
    package func mapStrings(path: String = "", _ body: (String, String) -> String) -> MessageValue {
        switch self {
        case .string(let text): .string(body(text, path))
        case .array(let values): .array(values.map { $0.mapStrings(path: path, body) })
        case .object(let members):
            .object(
                members.map { member in
                    let inner = path.isEmpty ? member.key : "\(path).\(member.key)"
                    return Member(member.key, member.value.mapStrings(path: inner, body))
                }
            )
        case .integer: self
        }
    }

    /// Every string, with the way to it.
    package func forEachString(path: String = "", _ body: (String, String) -> Void) {
        _ = mapStrings(path: path) { text, path in
            body(text, path)
            return text
        }
    }
}
