/// Something that a person saw in the chat.
package struct Delivery: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable {
        /// A customer-service message.
        case custom
        /// A template message.
        case template
        /// A subscribe notification.
        case subscribe
        /// The answer to a callback.
        case passive
        /// The line "the service is temporarily unavailable": a callback failed or was answered wrongly.
        case unavailable
    }

    /// Counts up by one over all accounts, from 1.
    package var sequence: Int64
    /// Milliseconds since 1970 by the simulator's clock.
    package var time: Int64
    package var appID: String
    package var openID: String
    package var kind: Kind
    /// `text`, `image` …; empty for ``Kind/unavailable``.
    package var type: String
    /// The object of that type as JSON with sorted keys; for ``Kind/template`` and ``Kind/subscribe`` the template's id and the
    /// values of its fields; for ``Kind/unavailable`` the reason.
    package var content: String
    /// The action whose window a customer-service message used.
    package var window: UserAction?
    /// Whether the table of windows permitted it. What needs no window always is.
    package var permitted: Bool
    /// `\u` escapes were shown as they are.
    package var garbled = false

    /// The words of a text message.
    package var text: String? {
        guard type == "text", let value = try? JSONValue.parse(Array(content.utf8)) else {
            // Not a text, or (never) content that this simulator did not write.
            return nil
        }
        return value["content"]?.string
    }

    /// The id of the template of a template message or notification.
    package var templateID: String? { noticeContent?["template_id"]?.string }

    /// The values of a template message or notification, by the names of its fields.
    package var values: [String: String] {
        guard case .object(let data)? = noticeContent?["data"] else { return [:] }
        return data.compactMapValues(\.string)
    }

    private var noticeContent: JSONValue? {
        // This simulator wrote it itself.
        kind == .template || kind == .subscribe
            ? try? JSONValue.parse(Array(content.utf8)) : nil
    }
}

/// A message that was refused.
package struct Refusal: Sendable, Hashable {
    /// Counts up by one over all accounts, from 1; its own row of numbers.
    package var sequence: Int64
    package var time: Int64
    package var appID: String
    package var openID: String
    package var type: String
    package var code: Int
}
