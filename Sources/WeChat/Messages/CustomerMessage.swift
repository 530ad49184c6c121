/// A customer-service message (客服消息), without the receiver. Its JSON is WeChat's own: `{"msgtype":"text","text":{"content":"…"}}`.
///
/// Where WeChat takes a media id, `file:NAME` may stand instead: the file of that name is uploaded before the message is
/// sent (``MediaReference``).
package struct CustomerMessage: Sendable, Hashable {
    package var content: Content
    /// The agent the message seems to come from, `name@alias`.
    package var agent: String?
    /// Puts WeChat's grey note "AI generated" under the message.
    package var isAIGenerated: Bool

    package init(_ content: Content, agent: String? = nil, isAIGenerated: Bool = false) {
        self.content = content
        self.agent = agent
        self.isAIGenerated = isAIGenerated
    }

    package static func text(_ content: String) -> CustomerMessage {
        CustomerMessage(.text(content))
    }

    package enum Content: Sendable, Hashable {
        /// At most 2048 bytes; may hold links: `<a href="…">…</a>`.
        case text(String)
        case image(mediaID: String)
        case voice(mediaID: String)
        case video(VideoMessage)
        case music(MusicMessage)
        /// A card that opens a web address; exactly one.
        case news(NewsArticle)
        /// A permanent news item or draft.
        case mpNews(mediaID: String)
        /// A published article.
        case mpNewsArticle(articleID: String)
        /// A text with entries to tap. A tap opens the menu's short window, not the 48 hours of a message.
        case menu(MenuMessage)
        case card(id: String)
        case miniProgramPage(MiniProgramMessage)
        /// Only for mini-program accounts.
        case link(LinkMessage)
    }

    /// WeChat's name of the type.
    package var type: String {
        switch content {
        case .text: "text"
        case .image: "image"
        case .voice: "voice"
        case .video: "video"
        case .music: "music"
        case .news: "news"
        case .mpNews: "mpnews"
        case .mpNewsArticle: "mpnewsarticle"
        case .menu: "msgmenu"
        case .card: "wxcard"
        case .miniProgramPage: "miniprogrampage"
        case .link: "link"
        }
    }
}

package struct VideoMessage: Sendable, Hashable {
    package var mediaID: String
    package var thumbMediaID: String
    package var title: String?
    package var description: String?

    package init(
        mediaID: String,
        thumbMediaID: String,
        title: String? = nil,
        description: String? = nil
    ) {
        self.mediaID = mediaID
        self.thumbMediaID = thumbMediaID
        self.title = title
        self.description = description
    }
}

package struct MusicMessage: Sendable, Hashable {
    package var title: String?
    package var description: String?
    package var url: String
    package var highQualityURL: String
    package var thumbMediaID: String

    package init(
        title: String? = nil,
        description: String? = nil,
        url: String,
        highQualityURL: String,
        thumbMediaID: String
    ) {
        self.title = title
        self.description = description
        self.url = url
        self.highQualityURL = highQualityURL
        self.thumbMediaID = thumbMediaID
    }
}

/// A card with a picture that opens a web address (图文).
package struct NewsArticle: Sendable, Hashable {
    package var title: String
    package var description: String?
    package var url: String
    /// 640×320 or 80×80 pixels look best.
    package var pictureURL: String?

    package init(
        title: String,
        description: String? = nil,
        url: String,
        pictureURL: String? = nil
    ) {
        self.title = title
        self.description = description
        self.url = url
        self.pictureURL = pictureURL
    }
}

package struct MenuMessage: Sendable, Hashable {
    package var head: String?
    package var entries: [Entry]
    package var tail: String?

    package struct Entry: Sendable, Hashable {
        /// Comes back as `bizmsgmenuid` when the entry is tapped.
        package var id: String
        package var content: String

        package init(id: String, content: String) {
            self.id = id
            self.content = content
        }
    }

    package init(head: String? = nil, entries: [Entry], tail: String? = nil) {
        self.head = head
        self.entries = entries
        self.tail = tail
    }
}

package struct MiniProgramMessage: Sendable, Hashable {
    package var title: String
    /// Must be linked with the account.
    package var appID: String
    package var path: String
    package var thumbMediaID: String

    package init(title: String, appID: String, path: String, thumbMediaID: String) {
        self.title = title
        self.appID = appID
        self.path = path
        self.thumbMediaID = thumbMediaID
    }
}

package struct LinkMessage: Sendable, Hashable {
    package var title: String
    package var description: String
    package var url: String
    package var thumbURL: String

    package init(title: String, description: String, url: String, thumbURL: String) {
        self.title = title
        self.description = description
        self.url = url
        self.thumbURL = thumbURL
    }
}
