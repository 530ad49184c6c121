/// The form of a template message or a subscribe notification: its template, and the values of its fields.
struct TemplateForm: Sendable, Hashable {
    var templateID: String
    /// By the names of the fields.
    var values: [String: String]

    /// - Parameter isTyped: whether every field must be of a known kind, as those of subscribe notifications are.
    static func read(
        _ body: JSONValue,
        _ settings: AccountSettings,
        isTyped: Bool
    ) throws(WeChatError) -> TemplateForm {
        guard let id = body["template_id"]?.string, (1...128).contains(id.utf8.count) else {
            throw .templateIDLength
        }
        if let templates = settings.templates, templates[id] == nil { throw .templateID }
        guard case .object(let data)? = body["data"] else { throw .argument("data") }
        var values: [String: String] = [:]
        for (name, member) in data {
            guard let value = member["value"]?.string, isRight(value, name, isTyped) else {
                throw .argument("data.\(name).value")
            }
            values[name] = value
        }
        if let fields = settings.templates?[id], fields != Set(values.keys) {
            let wrong = fields.symmetricDifference(values.keys).min() ?? ""
            throw .argument("data.\(wrong).value")
        }
        return TemplateForm(templateID: id, values: values)
    }

    /// What the person sees.
    var content: JSONValue {
        ["template_id": .string(templateID), "data": .object(values.mapValues { .string($0) })]
    }

    private static func isRight(_ value: String, _ name: String, _ isTyped: Bool) -> Bool {
        let kind = String(name.reversed().drop { $0.isNumber }.reversed())
        guard let rule = rules[kind] else { return !isTyped && value.unicodeScalars.count <= 200 }
        return !value.isEmpty && !value.contains { $0.isNewline } && rule(value)
    }

    private typealias Rule = @Sendable (String) -> Bool

    /// The official table of values of subscribe notifications; templates of the newer kind have the same.
    private static let rules: [String: Rule] = [
        "thing": { length($0) <= 20 },
        "const": { length($0) <= 20 },
        "number": { length($0) <= 32 && Double($0) != nil && $0.allSatisfy { $0.isASCII } },
        "letter": { length($0) <= 32 && $0.allSatisfy { $0.isASCII && $0.isLetter } },
        "symbol": { length($0) <= 5 && !$0.contains { $0.isLetter || $0.isNumber } },
        "character_string": { length($0) <= 32 && $0.allSatisfy { $0.isASCII } },
        "time": { $0.contains(":") && $0.contains { $0.isNumber } },
        "date": { $0.count { $0.isNumber } >= 4 },
        "amount": { (1...10).contains($0.count { $0.isNumber }) && length($0) <= 14 },
        "phone_number": { length($0) <= 17 && !$0.contains { $0.isLetter } },
        "car_number": { length($0) <= 8 },
        "name": { value in
            length(value) <= (value.allSatisfy { $0.isASCII } ? 20 : 10)
                && !value.contains { $0.isNumber }
        },
        "phrase": { length($0) <= 5 && $0.allSatisfy { !$0.isASCII && $0.isLetter } },
    ]

    private static func length(_ text: String) -> Int { text.unicodeScalars.count }
}
