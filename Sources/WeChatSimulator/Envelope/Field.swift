/// One element of a callback body: a name and text, a number, or further elements.
struct Field: Sendable, Hashable {
    enum Value: Sendable, Hashable {
        case text(String)
        case integer(Int64)
        case number(Double)
        case fields([Field])
    }

    var name: String
    var value: Value

    init(_ name: String, _ text: String) {
        self.name = name
        value = .text(text)
    }

    init(_ name: String, _ number: Int64) {
        self.name = name
        value = .integer(number)
    }

    init(_ name: String, _ number: Double) {
        self.name = name
        value = .number(number)
    }

    init(_ name: String, _ fields: [Field]) {
        self.name = name
        value = .fields(fields)
    }
}

/// Writes callback bodies.
enum FieldWriter {
    static func xml(_ fields: [Field]) -> String {
        var out = "<xml>"
        for field in fields { write(field, to: &out) }
        out += "</xml>"
        return out
    }

    static func json(_ fields: [Field]) -> JSONValue {
        var members: [String: JSONValue] = [:]
        for field in fields {
            let value: JSONValue =
                switch field.value {
                case .text(let text): .string(text)
                case .integer(let number): .integer(number)
                case .number(let number): .number(number)
                case .fields(let inner): json(inner)
                }
            // Siblings of one name are an array; a single one is not.
            members[field.name] =
                switch members[field.name] {
                case nil: value
                case .array(let row)?: .array(row + [value])
                case let first?: .array([first, value])
                }
        }
        return .object(members)
    }

    private static func write(_ field: Field, to out: inout String) {
        out += "<\(field.name)>"
        switch field.value {
        case .text(let text):
            out += "<![CDATA["
            // "]]>" would end the section: it is split over two.
            out += text.contains("]]>") ? split(text) : text
            out += "]]>"
        case .integer(let number): out += String(number)
        case .number(let number): out += String(number)
        case .fields(let inner):
            for field in inner { write(field, to: &out) }
        }
        out += "</\(field.name)>"
    }

    private static func split(_ text: String) -> String {
        var out = ""
        var brackets = 0
        for scalar in text.unicodeScalars {
            if scalar == ">", brackets >= 2 { out += "]]><![CDATA[" }
            brackets = scalar == "]" ? brackets + 1 : 0
            out.unicodeScalars.append(scalar)
        }
        return out
    }
}
