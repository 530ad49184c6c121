/// A file that a message names in place of a media id: `file:welcome.png`.
package struct MediaReference: Sendable, Hashable {
    package var name: String
    package var kind: MediaKind

    package static let prefix = "file:"

    package init(name: String, kind: MediaKind) {
        self.name = name
        self.kind = kind
    }

    /// `nil` where the text is a media id.
    package init?(_ text: String, kind: MediaKind) {
        guard text.hasPrefix(Self.prefix) else { return nil }
        self.init(name: String(text.dropFirst(Self.prefix.count)), kind: kind)
    }

    /// As it stands in a message.
    package var text: String { Self.prefix + name }
}

extension CustomerMessage {
    /// The files it names, in the order of its fields.
    package var mediaReferences: [MediaReference] {
        slots.compactMap { MediaReference($0.id, kind: $0.kind) }
    }

    /// The message with media ids in place of the files that are given one.
    package func replacing(_ ids: [MediaReference: String]) -> CustomerMessage {
        func put(_ id: String, _ kind: MediaKind) -> String {
            MediaReference(id, kind: kind).flatMap { ids[$0] } ?? id
        }
        var message = self
        switch content {
        case .image(let id): message.content = .image(mediaID: put(id, .image))
        case .voice(let id): message.content = .voice(mediaID: put(id, .voice))
        case .video(var video):
            video.mediaID = put(video.mediaID, .video)
            video.thumbMediaID = put(video.thumbMediaID, .thumb)
            message.content = .video(video)
        case .music(var music):
            music.thumbMediaID = put(music.thumbMediaID, .thumb)
            message.content = .music(music)
        case .miniProgramPage(var page):
            page.thumbMediaID = put(page.thumbMediaID, .thumb)
            message.content = .miniProgramPage(page)
        case .text, .news, .mpNews, .mpNewsArticle, .menu, .card, .link: break
        }
        return message
    }

    private var slots: [(id: String, kind: MediaKind)] {
        switch content {
        case .image(let id): [(id, .image)]
        case .voice(let id): [(id, .voice)]
        case .video(let video): [(video.mediaID, .video), (video.thumbMediaID, .thumb)]
        case .music(let music): [(music.thumbMediaID, .thumb)]
        case .miniProgramPage(let page): [(page.thumbMediaID, .thumb)]
        case .text, .news, .mpNews, .mpNewsArticle, .menu, .card, .link: []
        }
    }
}
