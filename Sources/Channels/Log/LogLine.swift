import BelfryCore

/// A message as one line of JSON:
/// `{"at":…,"id":…,"account":…,"person":…,"asked":…,"due":…,"attempt":…,"body":…}`, times in milliseconds since
/// 1970: `asked` is when it was to go out, `due` when holds and retries gave it its turn.
enum LogLine {
    static func bytes(_ message: OutboundMessage, at: Timestamp) -> [UInt8] {
        let head = JSONValue.members([
            "at": .integer(at.milliseconds), "id": .string(message.id.text),
            "account": .string(message.recipient.account),
            "person": .string(message.recipient.person),
            "asked": .integer(message.asked.milliseconds),
            "due": .integer(message.due.milliseconds),
            "attempt": .integer(Int64(message.attempt)),
        ])
        var line = head.bytes.dropLast() + Array(#","body":"#.utf8) + json(message.body)
        if !message.collected.isEmpty {
            let separator = [UInt8(ascii: ",")]
            line += Array(#","collected":["#.utf8)
            line += Array(message.collected.map(json).joined(separator: separator))
            line.append(UInt8(ascii: "]"))
        }
        return line + Array("}\n".utf8)
    }

    /// The body as it is if it is JSON, else as text. JSON has line breaks only between its parts, where a blank does as well.
    private static func json(_ body: [UInt8]) -> [UInt8] {
        guard (try? JSONValue(parsing: body)) != nil else {
            // Not JSON: a channel for people to look at shows it all the same.
            return JSONValue.string(String(decoding: body, as: UTF8.self)).bytes
        }
        return body.map { $0 == 0x0A || $0 == 0x0D ? 0x20 : $0 }
    }
}
