import BelfryCore

/// How long a text in the records may be, in bytes of UTF-8.
///
/// Every text is checked before it is written: a body of 10 kB where an id belongs is the caller's mistake and gets an answer that
/// says so, rather than an index page of its own.
package enum TextLimits {
    /// Keys, codes, names of scopes and scenes.
    package static let name = 128
    /// What people are called, and scenes: WeChat allows 64 characters, up to 4 bytes each.
    package static let label = 256
    /// The dedupe key of a callback: ids are far shorter; a caller with longer ones hashes them.
    package static let dedupeKey = 512
    package static let url = 2048
    /// A sentence for people: a reason, a remedy, a note.
    package static let sentence = 1024
    /// A JSON document: rules, quiet hours, attributes, settings, before and after of an audit entry.
    package static let document = 65_536
    /// A flow as YAML.
    package static let flow = 262_144
    /// A stored answer of the HTTP API or of a callback.
    package static let answer = 262_144
    package static let secret = 1024
    /// How many items one call may carry.
    package static let batch = 10_000
    /// How many rows one page may have.
    package static let page = 1000
}

/// Refuses what is too long, or holds U+0000, which PostgreSQL cannot store in a text.
func check(_ text: String, _ field: String, _ allowed: ClosedRange<Int>)
    throws(RecordsError)
{
    let count = text.utf8.count
    guard allowed.contains(count) else {
        throw RecordsError(
            .invalid,
            "\(field): is \(count) bytes; \(allowed.lowerBound) to \(allowed.upperBound) are allowed"
        )
    }
    guard !text.utf8.contains(0) else {
        throw RecordsError(.invalid, "\(field): must not contain U+0000")
    }
}

func check(_ text: String?, _ field: String, _ allowed: ClosedRange<Int>) throws(RecordsError) {
    guard let text else { return }
    try check(text, field, allowed)
}

func check(_ recipient: Recipient) throws(RecordsError) {
    try check(recipient.account, "account", 1...PushLimits.accountBytes)
    try check(recipient.person, "person", 1...PushLimits.personBytes)
}

func check(batch count: Int, limit: Int = TextLimits.batch) throws(RecordsError) {
    guard count <= limit else {
        throw RecordsError(.invalid, "batch: has \(count) items; at most \(limit) are allowed")
    }
}

extension TextLimits {
    /// Text from bytes that came from outside.
    ///
    /// - Throws: `invalid` where they are not UTF-8, too long, or hold U+0000.
    package static func text(utf8 bytes: [UInt8], _ field: String, _ allowed: ClosedRange<Int>)
        throws(RecordsError) -> String
    {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw RecordsError(.invalid, "\(field): is not valid UTF-8")
        }
        try check(text, field, allowed)
        return text
    }
}
