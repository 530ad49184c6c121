import BelfryCore

/// A message that WeChat would refuse: which field, and what is allowed.
package struct InvalidMessage: Error, Sendable, Hashable, CustomStringConvertible {
    /// The way to the field in the message's JSON: `text.content`, `news.articles[0].url`.
    package var field: String
    package var problem: String

    package init(field: String, problem: String) {
        self.field = field
        self.problem = problem
    }

    package var description: String { "\(field): \(problem)" }
}

/// Checks that several kinds of message share.
enum FieldCheck {
    /// Not empty, at most so many bytes of UTF-8, and without control characters: JSON could carry those only as `\u` escapes, which
    /// WeChat refuses.
    static func text(_ field: String, _ value: String, atMost bytes: Int)
        throws(InvalidMessage)
    {
        guard !value.isEmpty else {
            throw InvalidMessage(field: field, problem: "must not be empty")
        }
        try optional(field, value, atMost: bytes)
    }

    /// As ``text(_:_:atMost:)``, but may be empty or missing.
    static func optional(_ field: String, _ value: String?, atMost bytes: Int)
        throws(InvalidMessage)
    {
        guard let value else { return }
        let count = value.utf8.count
        guard count <= bytes else {
            throw InvalidMessage(
                field: field,
                problem: "has \(count) bytes of UTF-8, allowed are \(bytes)"
            )
        }
        let control = value.utf8.first { $0 < 0x20 && $0 != 0x0A && $0 != 0x0D && $0 != 0x09 }
        if let control {
            throw InvalidMessage(
                field: field,
                problem: "holds the control character U+00\(Hex.text([control]))"
            )
        }
    }

    static func url(_ field: String, _ value: String) throws(InvalidMessage) {
        try text(field, value, atMost: CustomerMessage.urlBytes)
        guard value.hasPrefix("http://") || value.hasPrefix("https://") else {
            throw InvalidMessage(field: field, problem: "must begin with http:// or https://")
        }
    }
}
