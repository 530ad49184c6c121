package import BelfryCore

/// Reads the members of a JSON object, gathers everything that is wrong, and refuses members it was not asked for.
///
///     var fields = try await call.fields()
///     let name = fields.text("name", 1...128)
///     let every = fields.duration("every")
///     try fields.finish()
package struct Fields {
    private let object: JSONValue
    private let path: String
    private var known: [String] = []
    package private(set) var problems: [Problem.Field] = []

    package init(_ object: JSONValue, path: String = "") {
        self.object = object
        self.path = path
    }

    /// - Throws: `malformed` where the bytes are no JSON object.
    package static func parse(_ bytes: [UInt8]) throws(Problem) -> Fields {
        let value: JSONValue
        do { value = try JSONValue(parsing: bytes) } catch {
            throw Problem(
                .malformed,
                "The body is not JSON: \(error.problem) at byte \(error.offset)."
            )
        }
        guard value.members != nil else {
            throw Problem(.malformed, "A JSON object is expected in the body, not \(value.kind).")
        }
        return Fields(value)
    }

    package mutating func note(_ name: String, _ code: String, _ detail: String) {
        problems.append(.init("\(path)/\(name)", code, detail))
    }

    /// The member as it is; `nil` where absent or null.
    package mutating func value(_ name: String) -> JSONValue? {
        known.append(name)
        guard let value = object[name], value != .null else { return nil }
        return value
    }

    /// Whether the member is there, be it null.
    package mutating func has(_ name: String) -> Bool {
        known.append(name)
        return object[name] != nil
    }

    package mutating func optionalText(_ name: String, _ bytes: ClosedRange<Int> = 0...1024)
        -> String?
    {
        guard let value = value(name) else { return nil }
        guard let text = value.string else {
            note(name, "type", "must be a string, not \(value.kind)")
            return nil
        }
        guard bytes.contains(text.utf8.count) else {
            let count = text.utf8.count
            note(
                name,
                "length",
                "is \(count) bytes; \(bytes.lowerBound) to \(bytes.upperBound) are allowed"
            )
            return nil
        }
        guard !text.utf8.contains(0) else {
            note(name, "nul", "must not contain U+0000")
            return nil
        }
        return text
    }

    /// A text that must be there; empty, with a problem noted, where it is not.
    package mutating func text(_ name: String, _ bytes: ClosedRange<Int> = 1...1024) -> String {
        let before = problems.count
        if let text = optionalText(name, bytes) { return text }
        if problems.count == before { note(name, "missing", "is needed") }
        return ""
    }

    package mutating func choice<Value: RawRepresentable & CaseIterable>(
        _ name: String,
        _ type: Value.Type
    ) -> Value? where Value.RawValue == String {
        guard let text = optionalText(name) else { return nil }
        if let value = Value(rawValue: text) { return value }
        let allowed = Value.allCases.map(\.rawValue).joined(separator: ", ")
        note(name, "value", "must be one of \(allowed)")
        return nil
    }

    package mutating func integer(_ name: String, _ range: ClosedRange<Int>) -> Int? {
        guard let value = value(name) else { return nil }
        guard let number = value.integer, let number = Int(exactly: number), range.contains(number)
        else {
            note(
                name,
                "range",
                "must be a whole number from \(range.lowerBound) to \(range.upperBound)"
            )
            return nil
        }
        return number
    }

    package mutating func flag(_ name: String) -> Bool? {
        guard let value = value(name) else { return nil }
        if let flag = value.bool { return flag }
        note(name, "type", "must be true or false")
        return nil
    }

    package mutating func duration(_ name: String) -> Duration? {
        guard let text = optionalText(name) else { return nil }
        if let span = DurationText.parse(text) { return span }
        note(name, "duration", "must be a duration, such as \"90s\" or \"PT1M30S\"")
        return nil
    }

    /// RFC 3339, or whole milliseconds since 1970.
    package mutating func time(_ name: String) -> Timestamp? {
        guard let value = value(name) else { return nil }
        if let number = value.integer, number >= 0 { return Timestamp(milliseconds: number) }
        if let text = value.string, let time = TimeText.parse(text) { return time }
        note(
            name,
            "time",
            "must be an RFC 3339 time, such as \"2026-11-21T08:00:00Z\", or milliseconds since 1970"
        )
        return nil
    }

    package mutating func texts(
        _ name: String,
        count: ClosedRange<Int>,
        bytes: ClosedRange<Int> = 1...1024
    ) -> [String]? {
        guard let value = value(name) else { return nil }
        guard let items = value.array, count.contains(items.count) else {
            note(
                name,
                "items",
                "must be an array of \(count.lowerBound) to \(count.upperBound) strings"
            )
            return nil
        }
        var texts: [String] = []
        for (index, item) in items.enumerated() {
            if let text = item.string, bytes.contains(text.utf8.count) {
                texts.append(text)
            } else {
                note(
                    "\(name)/\(index)",
                    "type",
                    "must be a string of \(bytes.lowerBound) to \(bytes.upperBound) bytes"
                )
            }
        }
        return texts
    }

    /// A nested object; its problems come back with ``absorb(_:)``.
    package mutating func object(_ name: String) -> Fields? {
        guard let value = value(name) else { return nil }
        guard value.members != nil else {
            note(name, "type", "must be an object, not \(value.kind)")
            return nil
        }
        return Fields(value, path: "\(path)/\(name)")
    }

    package mutating func absorb(_ nested: Fields) {
        problems += nested.problems + nested.unknown()
    }

    /// - Throws: `invalid` with all that was wrong, unknown members included.
    package func finish() throws(Problem) {
        let all = problems + unknown()
        if !all.isEmpty { throw .invalid(all) }
    }

    private func unknown() -> [Problem.Field] {
        (object.members ?? []).filter { !known.contains($0.name) }.map { member in
            let nearest = Suggestion.nearest(to: member.name, among: known)
            return .init(
                "\(path)/\(member.name.prefix(128).escapedForPointer)",
                "unknown",
                "is not known" + (nearest.map { "; did you mean '\($0)'?" } ?? "")
            )
        }
    }
}

extension StringProtocol {
    /// RFC 6901: `~` and `/` inside a name.
    var escapedForPointer: String {
        var result = ""
        for character in self {
            switch character {
            case "~": result += "~0"
            case "/": result += "~1"
            default: result.append(character)
            }
        }
        return result
    }
}
