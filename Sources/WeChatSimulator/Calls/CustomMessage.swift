/// A customer-service message whose form was found right.
struct CustomMessage: Sendable {
    var openID = ""
    var type = ""
    var content = JSONValue.null
    var isGarbled = false

    /// Lengths in bytes. Only that of the text is official; the others are assumed, generously, since only the
    /// existence of their error codes is documented.
    static let textLimit = 2048
    static let titleLimit = 256
    static let descriptionLimit = 1024
    static let urlLimit = 2048
    static let menuItems = 10
    static let menuItemLimit = 128

    static func read(
        _ call: APICall,
        _ account: SimulatedAccount,
        at now: Int64
    ) throws(WeChatError) -> CustomMessage {
        let body = try call.json()
        var message = CustomMessage()
        if call.hasUnicodeEscapes {
            if account.settings.escapes == .refuse { throw .unicodeEscapes }
            message.isGarbled = true
        }
        guard let openID = body["touser"]?.string, account.followers[openID] != nil else {
            throw .openID
        }
        message.openID = openID
        guard let type = body["msgtype"]?.string, known.contains(type) else {
            throw .messageType
        }
        message.type = type
        guard let content = body[type], case .object = content else { throw .jsonFormat }
        message.content = content
        try check(content, type, account, at: now)
        if let agent = body["customservice"]?["kf_account"] {
            try check(agent: agent.string ?? "", account.settings)
        }
        return message
    }

    private static let known: Set<String> = [
        "text", "image", "voice", "video", "music", "news", "mpnews", "mpnewsarticle", "msgmenu",
        "wxcard", "miniprogrampage", "link",
    ]

    private static func check(
        _ content: JSONValue,
        _ type: String,
        _ account: SimulatedAccount,
        at now: Int64
    ) throws(WeChatError) {
        func media(_ name: String) throws(WeChatError) {
            guard let id = content[name]?.string, account.media.item(id, at: now) != nil else {
                throw .mediaID
            }
        }
        switch type {
        case "text": try checkText(content)
        case "image", "voice", "mpnews": try media("media_id")
        case "video":
            try media("media_id")
            // WeChat takes its own picture when it is missing.
            if content["thumb_media_id"] != nil { try media("thumb_media_id") }
            try checkLengths(content)
        case "music":
            try checkLengths(content)
            guard content["musicurl"]?.string != nil, content["hqmusicurl"]?.string != nil else {
                throw .jsonFormat
            }
            try media("thumb_media_id")
        case "news": try checkNews(content)
        case "mpnewsarticle":
            if (content["article_id"]?.string ?? "").isEmpty { throw .articleID }
        case "msgmenu":
            if account.settings.standing == .test { throw .accountType }
            try checkMenu(content)
        case "wxcard":
            if (content["card_id"]?.string ?? "").isEmpty { throw .jsonFormat }
        case "miniprogrampage":
            try checkLengths(content)
            guard let appID = content["appid"]?.string, appID.hasPrefix("wx") else { throw .appID }
            if (content["pagepath"]?.string ?? "").isEmpty { throw .jsonFormat }
            try media("thumb_media_id")
        // "link" is for mini-program accounts only.
        default: throw .typeNotPermitted
        }
    }

    private static func checkText(_ content: JSONValue) throws(WeChatError) {
        guard let text = content["content"]?.string, !text.isEmpty else { throw .emptyText }
        if text.utf8.count > textLimit { throw .tooLong }
    }

    private static func checkLengths(_ part: JSONValue) throws(WeChatError) {
        func length(_ name: String) -> Int { part[name]?.string?.utf8.count ?? 0 }
        if length("title") > titleLimit { throw .titleTooLong }
        if length("description") > descriptionLimit { throw .descriptionTooLong }
        if length("url") > urlLimit { throw .urlTooLong }
        if length("picurl") > urlLimit { throw .picURLTooLong }
    }

    private static func checkNews(_ content: JSONValue) throws(WeChatError) {
        guard let articles = content["articles"]?.array else { throw .jsonFormat }
        if articles.isEmpty { throw .emptyNews }
        if articles.count > 1 { throw .tooManyArticles }
        for article in articles {
            guard let title = article["title"]?.string, !title.isEmpty else { throw .jsonFormat }
            try checkLengths(article)
        }
    }

    private static func checkMenu(_ content: JSONValue) throws(WeChatError) {
        guard let items = content["list"]?.array else { throw .jsonFormat }
        if items.isEmpty || items.count > menuItems { throw .menuListSize }
        for item in items {
            guard let id = item["id"]?.string ?? item["id"]?.integer.map({ String($0) }),
                !id.isEmpty, let text = item["content"]?.string, !text.isEmpty
            else { throw .jsonFormat }
            if text.utf8.count > menuItemLimit { throw .menuItemSize }
        }
        for name in ["head_content", "tail_content"]
        where (content[name]?.string ?? "").utf8.count > textLimit {
            throw .tooLong
        }
    }

    private static func check(
        agent: String,
        _ settings: AccountSettings
    ) throws(WeChatError) {
        let parts = agent.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { throw .agentName }
        if let agents = settings.agents, !agents.contains(agent) { throw .unknownAgent }
    }
}
