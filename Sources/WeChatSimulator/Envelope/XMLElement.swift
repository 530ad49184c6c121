/// A strict reader for the little XML of passive replies: elements without attributes, text, CDATA, the five entities
/// and character references. No declaration, no comments, no DTD.
struct XMLElement: Sendable, Hashable {
    var name: String
    /// All text directly inside; around child elements only white space is allowed.
    var text = ""
    var children: [XMLElement] = []

    func child(_ name: String) -> XMLElement? { children.first { $0.name == name } }

    /// The text of a child that has no children of its own.
    func value(_ name: String) -> String? {
        child(name).flatMap { $0.children.isEmpty ? $0.text : nil }
    }

    /// - Throws: a sentence about what is wrong.
    static func parse(_ bytes: [UInt8]) throws(XMLProblem) -> XMLElement {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw XMLProblem("not UTF-8")
        }
        var reader = XMLReader(bytes: Array(text.utf8))
        return try reader.document()
    }
}

struct XMLProblem: Error, Sendable, Hashable {
    var reason: String
    init(_ reason: String) { self.reason = reason }
}

private struct XMLReader {
    let bytes: [UInt8]
    var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func document() throws(XMLProblem) -> XMLElement {
        // Stray bytes before the root, a byte order mark too, make a reply malformed.
        guard bytes.first == UInt8(ascii: "<") else {
            throw XMLProblem("does not begin with an element")
        }
        let root = try element(depth: 0)
        while position < bytes.count, isSpace(bytes[position]) { position += 1 }
        if position < bytes.count { throw XMLProblem("bytes after the root element") }
        return root
    }

    private mutating func element(depth: Int) throws(XMLProblem) -> XMLElement {
        if depth > 16 { throw XMLProblem("too deep") }
        try expect("<")
        var element = XMLElement(name: try name())
        try expect(">")
        var onlySpace = true
        while true {
            if starts("</") {
                position += 2
                guard try name() == element.name else { throw XMLProblem("tags do not match") }
                while position < bytes.count, isSpace(bytes[position]) { position += 1 }
                try expect(">")
                if !element.children.isEmpty, !onlySpace {
                    throw XMLProblem("text beside elements")
                }
                return element
            }
            if starts("<![CDATA[") {
                onlySpace = false
                position += 9
                element.text += try until("]]>")
            } else if starts("<") {
                element.children.append(try self.element(depth: depth + 1))
            } else {
                let text = try characters()
                if !text.utf8.allSatisfy(isSpace) { onlySpace = false }
                element.text += text
            }
        }
    }

    private mutating func characters() throws(XMLProblem) -> String {
        var out: [UInt8] = []
        while position < bytes.count, bytes[position] != UInt8(ascii: "<") {
            if bytes[position] == UInt8(ascii: "&") {
                out += Array(try reference().utf8)
            } else {
                out.append(bytes[position])
                position += 1
            }
        }
        if position == bytes.count { throw XMLProblem("ends too early") }
        return String(decoding: out, as: UTF8.self)
    }

    private mutating func reference() throws(XMLProblem) -> String {
        position += 1
        let name = try until(";", limit: 10)
        switch name {
        case "lt": return "<"
        case "gt": return ">"
        case "amp": return "&"
        case "quot": return "\""
        case "apos": return "'"
        default:
            let code =
                name.hasPrefix("#x")
                ? UInt32(name.dropFirst(2), radix: 16)
                : name.hasPrefix("#") ? UInt32(name.dropFirst()) : nil
            guard let code, let scalar = Unicode.Scalar(code) else {
                throw XMLProblem("unknown entity &\(name);")
            }
            return String(Character(scalar))
        }
    }

    private mutating func name() throws(XMLProblem) -> String {
        let start = position
        while position < bytes.count, isNameByte(bytes[position]) { position += 1 }
        if start == position { throw XMLProblem("a tag without a name") }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func until(
        _ end: StaticString,
        limit: Int = .max
    ) throws(XMLProblem) -> String {
        let start = position
        while position < bytes.count, position - start <= limit {
            if starts(end) {
                let text = String(decoding: bytes[start..<position], as: UTF8.self)
                position += end.utf8CodeUnitCount
                return text
            }
            position += 1
        }
        throw XMLProblem("ends too early")
    }

    private mutating func expect(_ text: StaticString) throws(XMLProblem) {
        guard starts(text) else { throw XMLProblem("expected \(text) at byte \(position)") }
        position += text.utf8CodeUnitCount
    }

    private func starts(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard position + count <= bytes.count else { return false }
        return text.withUTF8Buffer { letters in
            for offset in 0..<count where bytes[position + offset] != letters[offset] {
                return false
            }
            return true
        }
    }

    private func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
    }

    private func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
