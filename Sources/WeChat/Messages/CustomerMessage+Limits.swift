extension CustomerMessage {
    /// WeChat's limit of a text, in bytes of UTF-8 (45002).
    package static let textBytes = 2048
    // WeChat documents no limits of the fields below (45003 to 45006, 45098 and 45099 say only "too long"). These are ours: above what
    // people can read on a telephone, below what has been seen to be refused.
    package static let titleBytes = 256
    package static let descriptionBytes = 1024
    package static let urlBytes = 2048
    package static let idBytes = 512
    package static let menuEntries = 10
    package static let menuEntryBytes = 128

    /// - Throws: ``InvalidMessage`` naming the first field that breaks a limit, and the limit.
    package func validate() throws(InvalidMessage) {
        if let agent { try Self.checkAgent(agent) }
        switch content {
        case .text(let text): try FieldCheck.text("text.content", text, atMost: Self.textBytes)
        case .image(let id), .voice(let id), .mpNews(let id):
            try Self.checkID("\(type).media_id", id)
        case .mpNewsArticle(let id): try Self.checkID("mpnewsarticle.article_id", id)
        case .card(let id): try Self.checkID("wxcard.card_id", id)
        case .video(let video): try video.validate()
        case .music(let music): try music.validate()
        case .news(let article): try article.validate("news.articles[0]")
        case .menu(let menu): try menu.validate()
        case .miniProgramPage(let page): try page.validate()
        case .link(let link): try link.validate()
        }
    }

    private static func checkAgent(_ agent: String) throws(InvalidMessage) {
        let field = "customservice.kf_account"
        try FieldCheck.text(field, agent, atMost: 128)
        let parts = agent.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
            throw InvalidMessage(field: field, problem: "must have the form name@alias")
        }
    }

    fileprivate static func checkID(_ field: String, _ id: String) throws(InvalidMessage) {
        try FieldCheck.text(field, id, atMost: idBytes)
    }
}

extension VideoMessage {
    fileprivate func validate() throws(InvalidMessage) {
        try CustomerMessage.checkID("video.media_id", mediaID)
        try CustomerMessage.checkID("video.thumb_media_id", thumbMediaID)
        try FieldCheck.optional("video.title", title, atMost: CustomerMessage.titleBytes)
        try FieldCheck.optional(
            "video.description",
            description,
            atMost: CustomerMessage.descriptionBytes
        )
    }
}

extension MusicMessage {
    fileprivate func validate() throws(InvalidMessage) {
        try FieldCheck.optional("music.title", title, atMost: CustomerMessage.titleBytes)
        try FieldCheck.optional(
            "music.description",
            description,
            atMost: CustomerMessage.descriptionBytes
        )
        try FieldCheck.url("music.musicurl", url)
        try FieldCheck.url("music.hqmusicurl", highQualityURL)
        try CustomerMessage.checkID("music.thumb_media_id", thumbMediaID)
    }
}

extension NewsArticle {
    fileprivate func validate(_ path: String) throws(InvalidMessage) {
        try FieldCheck.text("\(path).title", title, atMost: CustomerMessage.titleBytes)
        try FieldCheck.optional(
            "\(path).description",
            description,
            atMost: CustomerMessage.descriptionBytes
        )
        try FieldCheck.url("\(path).url", url)
        if let pictureURL, !pictureURL.isEmpty {
            try FieldCheck.url("\(path).picurl", pictureURL)
        }
    }
}

extension MenuMessage {
    fileprivate func validate() throws(InvalidMessage) {
        try FieldCheck.optional("msgmenu.head_content", head, atMost: CustomerMessage.textBytes)
        try FieldCheck.optional("msgmenu.tail_content", tail, atMost: CustomerMessage.textBytes)
        guard (1...CustomerMessage.menuEntries).contains(entries.count) else {
            throw InvalidMessage(
                field: "msgmenu.list",
                problem: "has \(entries.count) entries, allowed are 1 to "
                    + "\(CustomerMessage.menuEntries)"
            )
        }
        for (index, entry) in entries.enumerated() {
            let path = "msgmenu.list[\(index)]"
            try FieldCheck.text("\(path).id", entry.id, atMost: 128)
            try FieldCheck.text(
                "\(path).content",
                entry.content,
                atMost: CustomerMessage.menuEntryBytes
            )
            if entries[..<index].contains(where: { $0.id == entry.id }) {
                throw InvalidMessage(field: "\(path).id", problem: "is given twice")
            }
        }
    }
}

extension MiniProgramMessage {
    fileprivate func validate() throws(InvalidMessage) {
        let name = "miniprogrampage"
        try FieldCheck.text("\(name).title", title, atMost: CustomerMessage.titleBytes)
        try CustomerMessage.checkID("\(name).appid", appID)
        try FieldCheck.text("\(name).pagepath", path, atMost: CustomerMessage.urlBytes)
        try CustomerMessage.checkID("\(name).thumb_media_id", thumbMediaID)
    }
}

extension LinkMessage {
    fileprivate func validate() throws(InvalidMessage) {
        try FieldCheck.text("link.title", title, atMost: CustomerMessage.titleBytes)
        try FieldCheck.optional(
            "link.description",
            description,
            atMost: CustomerMessage.descriptionBytes
        )
        try FieldCheck.url("link.url", url)
        try FieldCheck.url("link.thumb_url", thumbURL)
    }
}
