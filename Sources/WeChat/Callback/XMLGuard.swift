/// Lets through only the XML that WeChat writes: elements, text and CDATA in UTF-8.
///
/// Everything that XML attacks need (document types, entities, comments and instructions to hide them in, other encodings) is
/// refused before a parser sees it. Text inside CDATA is the person's own and may say anything.
enum XMLGuard {
    static func check(_ bytes: [UInt8]) throws(CallbackError) {
        var index = try afterDeclaration(bytes)
        while let open = bytes[index...].firstIndex(of: UInt8(ascii: "<")) {
            index = open + 1
            guard index < bytes.count else { break }
            if bytes[index] == UInt8(ascii: "?") { throw forbidden("an instruction") }
            guard bytes[index] == UInt8(ascii: "!") else { continue }
            guard bytes[index...].starts(with: "![CDATA[".utf8) else {
                throw forbidden("a document type, an entity or a comment")
            }
            guard let end = find("]]>", in: bytes, from: index + 8) else {
                throw CallbackError(.malformed, "CDATA does not end")
            }
            index = end + 3
        }
    }

    /// - Returns: where the document goes on after `<?xml …?>`, if it begins so.
    private static func afterDeclaration(_ bytes: [UInt8]) throws(CallbackError) -> Int {
        guard bytes.starts(with: "<?xml ".utf8) else { return 0 }
        guard let end = find("?>", in: bytes, from: 6) else {
            throw CallbackError(.malformed, "the XML declaration does not end")
        }
        let declaration = String(decoding: bytes[6..<end], as: UTF8.self).lowercased()
        if declaration.contains("encoding"), !declaration.contains("utf-8") {
            throw forbidden("another encoding than UTF-8")
        }
        return end + 2
    }

    private static func find(_ text: StaticString, in bytes: [UInt8], from start: Int) -> Int? {
        text.withUTF8Buffer { needle in
            var index = start
            while index + needle.count <= bytes.count {
                if bytes[index..<index + needle.count].elementsEqual(needle) { return index }
                index += 1
            }
            return nil
        }
    }

    private static func forbidden(_ what: String) -> CallbackError {
        CallbackError(.forbiddenMarkup, "the XML holds \(what)")
    }
}
