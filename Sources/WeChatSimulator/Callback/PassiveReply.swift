/// A well-formed passive reply, as the person sees it.
struct PassiveReply: Sendable, Hashable {
    var type: String
    var content: JSONValue

    /// - Throws: what is wrong with it.
    static func read(
        _ tree: ReplyTree,
        of callback: Callback,
        mediaExists: (String) -> Bool
    ) throws(CallbackProblem) -> PassiveReply {
        guard tree.value("ToUserName") == callback.openID else {
            throw CallbackProblem("ToUserName is not the person who wrote")
        }
        guard tree.value("FromUserName") == callback.account.originalID else {
            throw CallbackProblem("FromUserName is not the account")
        }
        guard let time = tree.value("CreateTime"), let seconds = Int64(time), seconds > 0 else {
            throw CallbackProblem("CreateTime is not a number of seconds")
        }
        let type = tree.value("MsgType") ?? ""
        func media(_ id: String) throws(CallbackProblem) -> JSONValue {
            if !mediaExists(id) { throw CallbackProblem("MediaId \(id) is not valid") }
            return .string(id)
        }
        switch type {
        case "text":
            let content = try required(tree, "Content")
            if content.utf8.count > 2048 { throw CallbackProblem("Content is over 2048 bytes") }
            return PassiveReply(type: type, content: ["content": .string(content)])
        case "image", "voice":
            let part = try part(tree, type == "image" ? "Image" : "Voice")
            let id = try media(try required(part, "MediaId"))
            return PassiveReply(type: type, content: ["media_id": id])
        case "video":
            let part = try part(tree, "Video")
            var content = try optional(part, ["Title", "Description"])
            content["media_id"] = try media(try required(part, "MediaId"))
            return PassiveReply(type: type, content: .object(content))
        case "music":
            let part = try part(tree, "Music")
            var content = try optional(part, ["Title", "Description", "MusicUrl", "HQMusicUrl"])
            content["thumb_media_id"] = try media(try required(part, "ThumbMediaId"))
            return PassiveReply(type: type, content: .object(content))
        case "news": return try news(tree, limit: callback.articleLimit)
        case "transfer_customer_service":
            let agent = tree.child("TransInfo")?.value("KfAccount")
            return PassiveReply(
                type: type,
                content: .object(agent.map { ["kf_account": .string($0)] } ?? [:])
            )
        default: throw CallbackProblem("MsgType \"\(type)\" is unknown")
        }
    }

    private static func news(
        _ tree: ReplyTree,
        limit: Int
    ) throws(CallbackProblem) -> PassiveReply {
        let items = try part(tree, "Articles").items
        guard let count = Int(try required(tree, "ArticleCount")), count == items.count else {
            throw CallbackProblem("ArticleCount does not match the articles")
        }
        if items.isEmpty { throw CallbackProblem("news without an article") }
        if items.count > limit {
            throw CallbackProblem("\(items.count) articles where \(limit) may be")
        }
        var articles: [JSONValue] = []
        for item in items {
            var article = try optional(item, ["Title", "Description", "PicUrl", "Url"])
            article["title"] = .string(try required(item, "Title"))
            articles.append(.object(article))
        }
        return PassiveReply(type: "news", content: ["articles": .array(articles)])
    }

    private static func part(
        _ tree: ReplyTree,
        _ name: String
    ) throws(CallbackProblem) -> ReplyTree {
        guard let child = tree.child(name) else { throw CallbackProblem("\(name) is missing") }
        return child
    }

    private static func required(
        _ tree: ReplyTree,
        _ name: String
    ) throws(CallbackProblem) -> String {
        guard let value = tree.value(name), !value.isEmpty else {
            throw CallbackProblem("\(name) is missing or empty")
        }
        return value
    }

    private static func optional(
        _ tree: ReplyTree,
        _ names: [String]
    ) throws(CallbackProblem) -> [String: JSONValue] {
        var content: [String: JSONValue] = [:]
        for name in names {
            if let value = tree.value(name) { content[name.lowercased()] = .string(value) }
        }
        return content
    }
}
