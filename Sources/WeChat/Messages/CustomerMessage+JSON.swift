package import BelfryCore

extension CustomerMessage {
    /// Reads WeChat's JSON of a message.
    ///
    /// - Throws: ``InvalidMessage`` naming what is missing, of the wrong kind, or unknown. Limits are ``validate()``'s.
    package init(json bytes: [UInt8]) throws(InvalidMessage) {
        let value: JSONValue
        do { value = try JSONValue(parsing: bytes) } catch {
            throw InvalidMessage(field: "message", problem: "\(error)")
        }
        try self.init(value)
    }

    /// WeChat's JSON of the message, as raw UTF-8; with `touser` where a receiver is given.
    package func json(to openID: String? = nil) -> [UInt8] { value(to: openID).bytes }

    package func value(to openID: String? = nil) -> JSONValue {
        .members([
            "touser": openID.map { .string($0) },
            "msgtype": .string(type),
            type: contentValue,
            "customservice": agent.map { .members(["kf_account": .string($0)]) },
            "aimsgcontext": isAIGenerated ? .members(["is_ai_msg": .integer(1)]) : .none,
        ])
    }

    private var contentValue: JSONValue {
        switch content {
        case .text(let text): .members(["content": .string(text)])
        case .image(let id), .voice(let id), .mpNews(let id): .members(["media_id": .string(id)])
        case .mpNewsArticle(let id): .members(["article_id": .string(id)])
        case .card(let id): .members(["card_id": .string(id)])
        case .video(let video): video.value
        case .music(let music): music.value
        case .news(let article): .members(["articles": .array([article.value])])
        case .menu(let menu): menu.value
        case .miniProgramPage(let page): page.value
        case .link(let link): link.value
        }
    }

    package init(_ value: JSONValue) throws(InvalidMessage) {
        var fields = try MessageFields(value, at: "")
        let type = try fields.text("msgtype")
        guard let read = Self.readers[type] else {
            let known = Self.readers.keys.sorted().joined(separator: ", ")
            throw InvalidMessage(field: "msgtype", problem: "'\(type)' is not one of \(known)")
        }
        var inner = try fields.object(type)
        content = try read(&inner)
        try inner.finish()
        if var service = try fields.optionalObject("customservice") {
            agent = try service.text("kf_account")
            try service.finish()
        }
        isAIGenerated = false
        if var context = try fields.optionalObject("aimsgcontext") {
            isAIGenerated = try context.flag("is_ai_msg")
            try context.finish()
        }
        try fields.finish()
    }

    private typealias Reader = @Sendable (inout MessageFields) throws(InvalidMessage) -> Content

    private static let readers: [String: Reader] = [
        "text": { f throws(InvalidMessage) in .text(try f.text("content")) },
        "image": { f throws(InvalidMessage) in .image(mediaID: try f.text("media_id")) },
        "voice": { f throws(InvalidMessage) in .voice(mediaID: try f.text("media_id")) },
        "mpnews": { f throws(InvalidMessage) in .mpNews(mediaID: try f.text("media_id")) },
        "mpnewsarticle": { f throws(InvalidMessage) in
            .mpNewsArticle(articleID: try f.text("article_id"))
        },
        "wxcard": { f throws(InvalidMessage) in .card(id: try f.text("card_id")) },
        "video": { f throws(InvalidMessage) in .video(try VideoMessage(&f)) },
        "music": { f throws(InvalidMessage) in .music(try MusicMessage(&f)) },
        "news": { f throws(InvalidMessage) in
            let articles = try f.array("articles")
            guard articles.count == 1 else {
                throw InvalidMessage(
                    field: "news.articles",
                    problem: "has \(articles.count) articles, allowed is exactly 1"
                )
            }
            var article = articles[0]
            let news = try NewsArticle(&article)
            try article.finish()
            return .news(news)
        },
        "msgmenu": { f throws(InvalidMessage) in .menu(try MenuMessage(&f)) },
        "miniprogrampage": { f throws(InvalidMessage) in
            .miniProgramPage(try MiniProgramMessage(&f))
        },
        "link": { f throws(InvalidMessage) in .link(try LinkMessage(&f)) },
    ]
}
