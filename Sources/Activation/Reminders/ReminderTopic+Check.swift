import BelfryCore

/// A member of a topic that cannot be, and what is allowed.
package struct InvalidTopic: Error, Sendable, Hashable, CustomStringConvertible {
    /// As JSON names it: `opening`, `merge/grace`.
    package var field: String
    package var problem: String

    package init(_ field: String, _ problem: String) {
        self.field = field
        self.problem = problem
    }

    package var description: String { "\(field): \(problem)" }
}

extension ReminderTopic {
    /// How long a title may be, in bytes.
    package static let titleBytes = 256
    /// How long before its opening people may be reminded.
    package static let leadMax = Duration.days(366)
    /// A merged reminder waits at most so long: the bound of the timeline's own groups.
    package static let waitMax = Duration.days(49)

    /// Everything that is wrong with it, whatever the channel makes of the message.
    package var problems: [InvalidTopic] {
        var found: [InvalidTopic] = []
        func require(_ isRight: Bool, _ field: String, _ problem: String) {
            if !isRight { found.append(InvalidTopic(field, problem)) }
        }
        require(
            Self.isKey(key),
            "topic",
            "must be 1 to 128 of A-Z a-z 0-9 . _ -, and not begin with a dot"
        )
        require(
            (1...Self.titleBytes).contains(title.utf8.count),
            "title",
            "is \(title.utf8.count) bytes; 1 to \(Self.titleBytes) are allowed"
        )
        require(
            .zero...Self.leadMax ~= lead,
            "lead",
            "must be from 0s to 366d"
        )
        require(
            expiresAfter.map { .zero...Self.leadMax ~= $0 } ?? true,
            "expires_after",
            "must be from 0s to 366d, or null: never"
        )
        if let merge { found += merge.problems }
        if found.isEmpty, let expires, expires <= due + (merge?.maxWait ?? .zero) {
            found.append(
                InvalidTopic(
                    "expires_after",
                    merge == nil
                        ? "with lead, must be more than 0s: the reminder could never be sent"
                        : "with lead, must be more than merge/max_wait: a merged reminder would be over before it goes"
                )
            )
        }
        found += messageProblems
        return found
    }

    private static func isKey(_ text: String) -> Bool {
        (1...128).contains(text.utf8.count) && !text.hasPrefix(".")
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
                    UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}
