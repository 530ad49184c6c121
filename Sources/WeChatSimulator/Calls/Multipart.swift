/// The parts of a `multipart/form-data` body (RFC 7578).
enum Multipart {
    struct Part: Sendable, Hashable {
        var name: String
        var fileName: String?
        var bytes: [UInt8]
    }

    /// nil when the body is not well-formed.
    static func parts(_ body: [UInt8], contentType: String) -> [Part]? {
        guard let boundary = parameter("boundary", of: contentType), !boundary.isEmpty,
            contentType.lowercased().hasPrefix("multipart/form-data")
        else { return nil }
        let mark = Array("--\(boundary)".utf8)
        guard body.starts(with: mark) else { return nil }
        let between = Array("\r\n--\(boundary)".utf8)
        var parts: [Part] = []
        var position = mark.count
        while true {
            if starts(body, at: position, with: Array("--".utf8)) { return parts }
            guard starts(body, at: position, with: Array("\r\n".utf8)),
                let end = find(between, in: body, from: position + 2),
                let part = part(Array(body[position + 2..<end]))
            else { return nil }
            parts.append(part)
            position = end + between.count
        }
    }

    private static func part(_ bytes: [UInt8]) -> Part? {
        guard let split = find(Array("\r\n\r\n".utf8), in: bytes, from: 0) else { return nil }
        let head = String(decoding: bytes[..<split], as: UTF8.self)
        for line in head.split(whereSeparator: \.isNewline) {
            let text = String(line)
            guard text.lowercased().hasPrefix("content-disposition:"),
                let name = parameter("name", of: text)
            else { continue }
            return Part(
                name: name,
                fileName: parameter("filename", of: text),
                bytes: Array(bytes[(split + 4)...])
            )
        }
        return nil
    }

    /// `key=value` or `key="value"` behind a semicolon.
    private static func parameter(_ key: String, of header: String) -> String? {
        for piece in header.split(separator: ";").dropFirst() {
            let pair = piece.split(separator: "=", maxSplits: 1)
            guard pair.count == 2,
                pair[0].drop(while: { $0 == " " }).lowercased() == key
            else { continue }
            let value = pair[1]
            return value.hasPrefix("\"") && value.hasSuffix("\"") && value.count >= 2
                ? String(value.dropFirst().dropLast()) : String(value)
        }
        return nil
    }

    private static func starts(_ bytes: [UInt8], at offset: Int, with prefix: [UInt8]) -> Bool {
        offset + prefix.count <= bytes.count
            && bytes[offset..<offset + prefix.count].elementsEqual(prefix)
    }

    private static func find(_ needle: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
        guard bytes.count >= needle.count, let first = needle.first else { return nil }
        var position = start
        while position <= bytes.count - needle.count {
            if bytes[position] == first, starts(bytes, at: position, with: needle) {
                return position
            }
            position += 1
        }
        return nil
    }
}
