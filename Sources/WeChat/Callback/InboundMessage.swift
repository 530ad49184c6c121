/// A message that a person sent to the account.
package struct InboundMessage: Sendable, Hashable {
    package var head: InboundHead
    /// 64 bits as decimal text.
    package var id: String
    /// MsgType as it came.
    package var type: String
    package var content: Content
    /// Set where the person answered from an article: which one of which broadcast.
    package var article: Article?

    package struct Article: Sendable, Hashable {
        package var dataID: String
        package var index: String
    }

    package enum Content: Sendable, Hashable {
        /// - menuID: the id of the entry where the person tapped a msgmenu message. For the permission window such a tap counts as
        ///   a menu tap, not as a message.
        case text(String, menuID: String?)
        case image(url: String, mediaID: String)
        case voice(mediaID: String, format: String, mediaID16K: String?, recognition: String?)
        case video(mediaID: String, thumbMediaID: String)
        case shortVideo(mediaID: String, thumbMediaID: String)
        case location(latitude: Double, longitude: Double, scale: Int, label: String)
        case link(title: String, description: String, url: String)
        /// A type this program does not know; the whole body is kept.
        case unknown(BodyNode)
    }

    package init(
        head: InboundHead,
        id: String,
        type: String,
        content: Content,
        article: Article? = nil
    ) {
        self.head = head
        self.id = id
        self.type = type
        self.content = content
        self.article = article
    }

    init(head: InboundHead, type: String, _ body: BodyNode) {
        self.init(
            head: head,
            id: body.text("MsgId"),
            type: type,
            content: Self.content(type, body),
            article: body.value("MsgDataId").map {
                Article(dataID: $0, index: body.text("Idx"))
            }
        )
    }

    private static func content(_ type: String, _ body: BodyNode) -> Content {
        switch type {
        case "text": return .text(body.text("Content"), menuID: body.value("bizmsgmenuid"))
        case "image": return .image(url: body.text("PicUrl"), mediaID: body.text("MediaId"))
        case "voice":
            return .voice(
                mediaID: body.text("MediaId"),
                format: body.text("Format"),
                mediaID16K: body.value("MediaId16K"),
                recognition: body.value("Recognition")
            )
        case "video", "shortvideo":
            let (media, thumb) = (body.text("MediaId"), body.text("ThumbMediaId"))
            return type == "video"
                ? .video(mediaID: media, thumbMediaID: thumb)
                : .shortVideo(mediaID: media, thumbMediaID: thumb)
        case "location":
            guard let latitude = Double(body.text("Location_X")),
                let longitude = Double(body.text("Location_Y"))
            else { return .unknown(body) }
            return .location(
                latitude: latitude,
                longitude: longitude,
                scale: Int(body.text("Scale")) ?? 0,
                label: body.text("Label")
            )
        case "link":
            return .link(
                title: body.text("Title"),
                description: body.text("Description"),
                url: body.text("Url")
            )
        default: return .unknown(body)
        }
    }
}
