/// A message in WeChat's own shape: `msgtype` and the object of that name, still with variables and names of media files in it.
package struct FlowMessage: Sendable, Hashable {
    /// `text`, `image`, `news`, …
    package var type: String
    package var body: MessageValue
    /// Members beside the object: `customservice`, `aimsgcontext`.
    package var extras: [MessageValue.Member]
    /// Media that are named by file; the ids are put in when the message is sent.
    package var files: [MessageFile]

    package init(
        type: String,
        body: MessageValue,
        extras: [MessageValue.Member] = [],
        files: [MessageFile] = []
    ) {
        self.type = type
        self.body = body
        self.extras = extras
        self.files = files
    }

    package static func text(_ content: String) -> FlowMessage {
        FlowMessage(type: "text", body: .object([.init("content", .string(content))]))
    }

    /// `{"msgtype":"text","text":{"content":"…"}}`: all that a channel needs besides the recipient.
    package var json: MessageValue {
        .object([.init("msgtype", .string(type)), .init(type, body)] + extras)
    }

    /// What a person would read, short: for logs, the simulator and previews.
    package var preview: String {
        let keys = ["content", "title", "head_content", "media_id", "thumb_media_id"]
        let body: MessageValue =
            if case .array(let articles)? = body["articles"], let first = articles.first {
                first
            } else {
                body
            }
        let text = keys.lazy.compactMap { body[$0]?.text }.first { !$0.isEmpty }
        let file = files.first.map { "<\($0.path)>" }
        return text ?? file ?? ""
    }
}

/// A media file that a message names instead of a media id.
package struct MessageFile: Sendable, Hashable {
    /// The member of the message object that gets the id: `media_id` or `thumb_media_id`.
    package var member: String
    /// As the media interface calls it: `image`, `voice`, `video`, `thumb`.
    package var kind: String
    /// Relative to the account's media folder.
    package var path: String

    package init(member: String, kind: String, path: String) {
        self.member = member
        self.kind = kind
        self.path = path
    }
}
