/// Reads the XML that WeChat writes: elements, text and CDATA in UTF-8.
///
/// What XML attacks need (document types, entities of one's own, comments and instructions to hide them in, other encodings) is not
/// switched off here but absent: no general parser is loaded, and a callback is read in a tenth of the time that the system's takes.
struct XMLBody {
    private let bytes: [UInt8]
    private var index = 0
    /// From the root inwards; each waits for its end tag.
    private var open: [BodyNode] = []
    private var nodes = 0

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// - Parameter bytes: UTF-8.
    /// - Throws: ``CallbackError`` with `malformed`, `tooDeep` or `forbiddenMarkup`.
    static func parse(_ bytes: [UInt8]) throws(CallbackError) -> BodyNode {
        var body = XMLBody(bytes)
        try body.skipDeclaration()
        while body.index < bytes.count {
            if let root = try body.takeOne() {
                try body.expectEnd()
                return root
            }
        }
        throw body.malformed("it ends inside an element")
    }

    // MARK: Document

    private mutating func skipDeclaration() throws(CallbackError) {
        guard bytes.starts(with: "<?xml ".utf8) else { return }
        guard let end = position(of: "?>", from: 6) else {
            throw malformed("the XML declaration does not end")
        }
        let declaration = String(decoding: bytes[6..<end], as: UTF8.self).lowercased()
        if declaration.contains("encoding"), !declaration.contains("utf-8") {
            throw forbidden("another encoding than UTF-8")
        }
        index = end + 2
    }

    private func expectEnd() throws(CallbackError) {
        guard bytes[index...].allSatisfy(Self.isBlank) else {
            throw malformed("something follows the document")
        }
    }

    /// Takes a tag, a run of text or a CDATA section.
    ///
    /// - Returns: the root, once its end tag was taken.
    private mutating func takeOne() throws(CallbackError) -> BodyNode? {
        guard bytes[index] == UInt8(ascii: "<") else {
            try takeText()
            return nil
        }
        index += 1
        switch index < bytes.count ? bytes[index] : 0 {
        case UInt8(ascii: "/"): return try takeEndTag()
        case UInt8(ascii: "!"): try takeCDATA()
        case UInt8(ascii: "?"): throw forbidden("an instruction")
        default: return try takeStartTag()
        }
        return nil
    }

    // MARK: Tags

    private mutating func takeStartTag() throws(CallbackError) -> BodyNode? {
        let name = try takeName()
        try skipAttributes()
        nodes += 1
        guard open.count < BodyTree.maxDepth, nodes <= BodyTree.maxNodes else {
            throw CallbackError(.tooDeep, "too many or too deeply nested elements")
        }
        open.append(BodyNode(name: name))
        let isEmpty = take(UInt8(ascii: "/"))
        guard take(UInt8(ascii: ">")) else { throw malformed("a tag does not end") }
        return isEmpty ? close() : nil
    }

    private mutating func takeEndTag() throws(CallbackError) -> BodyNode? {
        index += 1
        let name = try takeName()
        skipBlanks()
        guard take(UInt8(ascii: ">")), name == open.last?.name else {
            throw malformed("</\(name.prefix(40))> ends no open element")
        }
        return close()
    }

    /// - Returns: the root, where it was the one that was closed.
    private mutating func close() -> BodyNode? {
        guard var node = open.popLast() else { return nil }
        if !node.children.isEmpty { node.text = "" }
        guard !open.isEmpty else { return node }
        open[open.count - 1].children.append(node)
        return nil
    }

    private mutating func takeName() throws(CallbackError) -> String {
        let start = index
        while index < bytes.count, Self.isName(bytes[index]) { index += 1 }
        guard index > start, !(UInt8(ascii: "-")...UInt8(ascii: "9")).contains(bytes[start]) else {
            throw malformed("a name is expected")
        }
        return String(decoding: bytes[start..<index], as: UTF8.self)
    }

    /// WeChat writes none; one that it will write some day must not stop callbacks.
    private mutating func skipAttributes() throws(CallbackError) {
        skipBlanks()
        while index < bytes.count, Self.isName(bytes[index]) {
            _ = try takeName()
            skipBlanks()
            guard take(UInt8(ascii: "=")) else { throw malformed("an attribute has no value") }
            skipBlanks()
            guard index < bytes.count,
                [UInt8(ascii: "\""), UInt8(ascii: "'")].contains(bytes[index]),
                let end = bytes[(index + 1)...].firstIndex(of: bytes[index]),
                !bytes[index..<end].contains(UInt8(ascii: "<"))
            else { throw malformed("an attribute's value is not quoted") }
            index = end + 1
            skipBlanks()
        }
    }

    // MARK: Text

    private mutating func takeCDATA() throws(CallbackError) {
        guard bytes[index...].starts(with: "![CDATA[".utf8) else {
            throw forbidden("a document type, an entity or a comment")
        }
        let start = index + 8
        guard let end = position(of: "]]>", from: start) else {
            throw malformed("CDATA does not end")
        }
        try append(bytes[start..<end])
        index = end + 3
    }

    private mutating func takeText() throws(CallbackError) {
        let end = bytes[index...].firstIndex(of: UInt8(ascii: "<")) ?? bytes.count
        let run = bytes[index..<end]
        if open.isEmpty {
            guard run.allSatisfy(Self.isBlank) else { throw malformed("text outside the document") }
        } else if run.contains(UInt8(ascii: "&")) {
            try append(try resolved(run)[...])
        } else {
            try append(run)
        }
        index = end
    }

    private mutating func append(_ run: ArraySlice<UInt8>) throws(CallbackError) {
        guard !open.isEmpty else { throw malformed("text outside the document") }
        guard run.allSatisfy({ $0 >= 0x20 || Self.isBlank($0) }) else {
            throw malformed("a control character")
        }
        open[open.count - 1].text += String(decoding: run, as: UTF8.self)
    }

    /// The text with the five entities of XML and character numbers replaced.
    private func resolved(_ run: ArraySlice<UInt8>) throws(CallbackError) -> [UInt8] {
        var text: [UInt8] = []
        var rest = run
        while let mark = rest.firstIndex(of: UInt8(ascii: "&")) {
            text += rest[..<mark]
            guard let end = rest[mark...].prefix(12).firstIndex(of: UInt8(ascii: ";")) else {
                throw malformed("an & that begins no entity")
            }
            let name = String(decoding: rest[(mark + 1)..<end], as: UTF8.self)
            guard let scalar = Self.scalar(name) else {
                throw malformed("no entity is named &\(name);")
            }
            text += Array(String(scalar).utf8)
            rest = rest[(end + 1)...]
        }
        return text + rest
    }

    private static func scalar(_ entity: String) -> Unicode.Scalar? {
        switch entity {
        case "lt": return "<"
        case "gt": return ">"
        case "amp": return "&"
        case "quot": return "\""
        case "apos": return "'"
        default:
            guard entity.hasPrefix("#") else { return nil }
            let number = entity.dropFirst()
            let value =
                number.hasPrefix("x") ? UInt32(number.dropFirst(), radix: 16) : UInt32(number)
            guard let value, value >= 0x20 || isBlank(UInt8(value)) else { return nil }
            return Unicode.Scalar(value)
        }
    }

    // MARK: Bytes

    private mutating func take(_ byte: UInt8) -> Bool {
        guard index < bytes.count, bytes[index] == byte else { return false }
        index += 1
        return true
    }

    private mutating func skipBlanks() {
        while index < bytes.count, Self.isBlank(bytes[index]) { index += 1 }
    }

    private func position(of text: StaticString, from start: Int) -> Int? {
        text.withUTF8Buffer { needle in
            var index = start
            while index + needle.count <= bytes.count {
                if bytes[index] == needle[0],
                    bytes[index..<index + needle.count].elementsEqual(needle)
                {
                    return index
                }
                index += 1
            }
            return nil
        }
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }

    /// A letter, a digit, `_`, `-`, `.`, `:`, or part of a character beyond ASCII.
    private static func isName(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x3A, 0x41...0x5A, 0x61...0x7A, 0x5F, 0x2D, 0x2E, 0x80...0xFF: true
        default: false
        }
    }

    private func malformed(_ why: String) -> CallbackError {
        CallbackError(.malformed, "not well-formed XML, at byte \(index): \(why)")
    }

    private func forbidden(_ what: String) -> CallbackError {
        CallbackError(.forbiddenMarkup, "the XML holds \(what)")
    }
}
