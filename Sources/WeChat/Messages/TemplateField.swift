import BelfryCore

/// One field of a template with its value.
///
/// A name like `thing1` says which values are allowed; older templates have names like `keyword1`, which say nothing.
package struct TemplateField: Sendable, Hashable {
    package var name: String
    package var value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    /// Ours, for fields that say nothing themselves: longer values are not shown whole on any telephone.
    package static let untypedUnits = 200

    /// - Parameter isTyped: whether the name must say which values are allowed, as in subscribe notifications.
    /// - Throws: ``InvalidMessage`` naming the field, and what is allowed (WeChat: 47003).
    package func validate(isTyped: Bool) throws(InvalidMessage) {
        try validateName(isTyped: isTyped)
        let place = "data.\(name).value"
        try FieldCheck.text(place, value, atMost: 1024)
        guard let kind = TemplateFieldKind(name) else {
            guard value.utf16.count <= Self.untypedUnits else {
                throw InvalidMessage(
                    field: place,
                    problem: "has \(value.utf16.count) characters, allowed are \(Self.untypedUnits)"
                )
            }
            return
        }
        guard !value.contains(where: \.isNewline) else {
            throw InvalidMessage(field: place, problem: "must not hold a line break")
        }
        guard kind.allows(value) else {
            throw InvalidMessage(field: place, problem: "must be \(kind.words)")
        }
    }

    /// The check of the name alone, for values that are only known when the message is sent.
    package func validateName(isTyped: Bool) throws(InvalidMessage) {
        let isWord = name.utf8.allSatisfy {
            (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0)
                || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "_")
        }
        guard isWord, (1...64).contains(name.utf8.count) else {
            throw InvalidMessage(
                field: "data",
                problem: "'\(name.prefix(64))' is no name of a field, such as thing1"
            )
        }
        guard !isTyped || TemplateFieldKind(name) != nil else {
            let kinds = TemplateFieldKind.allCases.map(\.rawValue).joined(separator: ", ")
            throw InvalidMessage(
                field: "data.\(name)",
                problem: "has to begin with one of \(kinds)"
            )
        }
    }

    static func read(_ fields: inout MessageFields) throws(InvalidMessage)
        -> [TemplateField]
    {
        var data = try fields.object("data")
        var read: [TemplateField] = []
        for name in data.names {
            var member = try data.object(name)
            read.append(TemplateField(name, try member.text("value")))
            // WeChat takes a colour, and has not shown it since 2023.
            _ = try member.optionalText("color")
            try member.finish()
        }
        return read
    }

    static func value(_ fields: [TemplateField]) -> JSONValue {
        .object(fields.map { .init($0.name, .members(["value": .string($0.value)])) })
    }
}

/// Which values a field takes, by the letters that its name begins with: WeChat's table of parameters.
enum TemplateFieldKind: String, CaseIterable {
    case thing
    case const
    case number
    case letter
    case symbol
    case characterString = "character_string"
    case time
    case date
    case amount
    case phoneNumber = "phone_number"
    case carNumber = "car_number"
    case name
    case phrase

    /// `nil` for names of older templates.
    init?(_ name: String) {
        self.init(rawValue: String(name.reversed().drop { $0.isASCII && $0.isNumber }.reversed()))
    }

    var words: String {
        switch self {
        case .thing, .const: "at most 20 characters"
        case .number: "a number of at most 32 digits"
        case .letter: "at most 32 letters of a-z and A-Z"
        case .symbol: "at most 5 symbols"
        case .characterString: "at most 32 digits, letters of a-z and A-Z, and symbols"
        case .time: "a time such as 15:01 or 2026-11-20 15:01, or two with ~ between"
        case .date: "a date such as 2026-11-20 or 2026年11月20日, with or without a time"
        case .amount: "an amount such as ￥100.50, of at most 10 digits"
        case .phoneNumber: "at most 17 digits and symbols"
        case .carNumber: "at most 8 letters and digits"
        case .name: "at most 10 Chinese characters, or 20 letters"
        case .phrase: "at most 5 Chinese characters"
        }
    }

    /// Counted in UTF-16 where WeChat says characters: the strictest reading.
    func allows(_ value: String) -> Bool {
        let count = value.utf16.count
        switch self {
        case .thing, .const: return count <= 20
        case .number: return count <= 32 && Self.isNumber(value)
        case .letter: return count <= 32 && value.allSatisfy { $0.isASCII && $0.isLetter }
        case .symbol: return count <= 5 && !value.contains { $0.isLetter || $0.isNumber }
        case .characterString: return count <= 32 && value.allSatisfy(\.isASCII)
        case .time: return Self.isMoment(value, needsDate: false)
        case .date: return Self.isMoment(value, needsDate: true)
        case .amount: return Self.isAmount(value)
        case .phoneNumber:
            return count <= 17 && value.contains(where: \.isNumber)
                && value.allSatisfy { $0.isASCII && !$0.isLetter }
        case .carNumber: return count <= 8 && value.allSatisfy { $0.isLetter || $0.isNumber }
        case .name:
            return count <= (value.allSatisfy(\.isASCII) ? 20 : 10)
                && !value.contains(where: \.isNumber)
        case .phrase:
            return count <= 5 && value.unicodeScalars.allSatisfy(\.properties.isIdeographic)
        }
    }

    private static func isDigits(_ text: some StringProtocol) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }

    private static func isNumber(_ text: some StringProtocol) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count <= 2 && parts.allSatisfy { isDigits($0) }
    }

    private static func isAmount(_ text: String) -> Bool {
        var rest = text[...]
        if let first = rest.first, !first.isNumber { rest = rest.dropFirst() }
        if rest.last == "元" { rest = rest.dropLast() }
        return isNumber(rest) && rest.count(where: \.isNumber) <= 10
    }

    /// One moment, or two with `~` between.
    private static func isMoment(_ text: String, needsDate: Bool) -> Bool {
        let ends = text.split(separator: "~", omittingEmptySubsequences: false)
        return ends.count <= 2
            && ends.allSatisfy { end in
                let parts = end.split(whereSeparator: \.isWhitespace)
                switch parts.count {
                case 1: return needsDate ? isDate(parts[0]) : isClock(parts[0])
                case 2: return isDate(parts[0]) && isClock(parts[1])
                default: return false
                }
            }
    }

    /// `2026-11-20`, `2026/11/20`, `2026.11.20` or `2026年11月20日`.
    private static func isDate(_ text: Substring) -> Bool {
        let parts = text.split(omittingEmptySubsequences: true) { "-/.年月日".contains($0) }
        let numbers = parts.compactMap { isDigits($0) ? Int($0) : nil }
        return numbers.count == 3 && parts.count == 3 && parts[0].count == 4
            && (1...12).contains(numbers[1]) && (1...31).contains(numbers[2])
    }

    /// `15:01` or `15:01:30`.
    private static func isClock(_ text: Substring) -> Bool {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard (2...3).contains(parts.count), parts.allSatisfy({ isDigits($0) && $0.count <= 2 })
        else { return false }
        let numbers = parts.compactMap { Int($0) }
        return numbers[0] < 24 && numbers.dropFirst().allSatisfy { $0 < 60 }
    }
}
