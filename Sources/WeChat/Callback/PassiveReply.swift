package import BelfryCore

/// An answer inside the HTTP response to a callback: free of the customer-service window, at most one for each callback,
/// within five seconds.
package enum PassiveReply: Sendable, Hashable {
    /// At most 2048 bytes.
    case text(String)
    case image(mediaID: String)
    case voice(mediaID: String)
    case video(mediaID: String, title: String?, description: String?)
    case music(PassiveMusic)
    /// 1 article in answer to a message; up to 8 in answer to an event.
    case news([NewsArticle])
    /// Hands the chat to human agents, to this one where an account is named.
    case transferToAgent(account: String?)

    /// The whole answer, sender and receiver swapped, in the format of the callback that it answers.
    package func text(_ format: BodyFormat, to head: InboundHead, now: Timestamp) -> String {
        let fields: [ReplyField] =
            [
                .text("ToUserName", head.openID), .text("FromUserName", head.account),
                .number("CreateTime", now.milliseconds / 1000), .text("MsgType", type),
            ] + fields
        switch format {
        case .xml: return ReplyField.xml(fields)
        case .json: return ReplyField.json(fields).text
        }
    }

    package var type: String {
        switch self {
        case .text: "text"
        case .image: "image"
        case .voice: "voice"
        case .video: "video"
        case .music: "music"
        case .news: "news"
        case .transferToAgent: "transfer_customer_service"
        }
    }

    private var fields: [ReplyField] {
        switch self {
        case .text(let content): [.text("Content", content)]
        case .image(let id): [.nest("Image", [.text("MediaId", id)])]
        case .voice(let id): [.nest("Voice", [.text("MediaId", id)])]
        case .video(let id, let title, let description):
            [
                .nest(
                    "Video",
                    [
                        .text("MediaId", id), .text("Title", title),
                        .text("Description", description),
                    ]
                )
            ]
        case .music(let music): [.nest("Music", music.fields)]
        case .news(let articles):
            [
                .number("ArticleCount", Int64(articles.count)),
                .list("Articles", item: "item", articles.map(Self.fields)),
            ]
        case .transferToAgent(let account):
            account.map { [.nest("TransInfo", [.text("KfAccount", $0)])] } ?? []
        }
    }

    private static func fields(_ article: NewsArticle) -> [ReplyField] {
        [
            .text("Title", article.title), .text("Description", article.description ?? ""),
            .text("PicUrl", article.pictureURL ?? ""), .text("Url", article.url),
        ]
    }

    /// - Throws: ``InvalidMessage`` naming the field that breaks a limit.
    package func validate(answering event: Bool) throws(InvalidMessage) {
        switch self {
        case .text(let content):
            try FieldCheck.text("Content", content, atMost: 2048)
        case .image(let id), .voice(let id): try FieldCheck.text("MediaId", id, atMost: 512)
        case .video(let id, _, _): try FieldCheck.text("MediaId", id, atMost: 512)
        case .music(let music): try FieldCheck.text("ThumbMediaId", music.thumbMediaID, atMost: 512)
        case .news(let articles):
            let most = event ? 8 : 1
            guard (1...most).contains(articles.count) else {
                throw InvalidMessage(
                    field: "Articles",
                    problem: "has \(articles.count) articles, allowed here are 1 to \(most)"
                )
            }
        case .transferToAgent: break
        }
    }
}

/// A piece of music as a passive reply.
package struct PassiveMusic: Sendable, Hashable {
    package var title: String?
    package var description: String?
    package var url: String?
    package var highQualityURL: String?
    package var thumbMediaID: String

    package init(
        title: String? = nil,
        description: String? = nil,
        url: String? = nil,
        highQualityURL: String? = nil,
        thumbMediaID: String
    ) {
        self.title = title
        self.description = description
        self.url = url
        self.highQualityURL = highQualityURL
        self.thumbMediaID = thumbMediaID
    }

    fileprivate var fields: [ReplyField] {
        [
            .text("Title", title), .text("Description", description), .text("MusicUrl", url),
            .text("HQMusicUrl", highQualityURL), .text("ThumbMediaId", thumbMediaID),
        ]
    }
}
