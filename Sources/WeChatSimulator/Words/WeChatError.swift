/// What WeChat answers when it refuses, always with HTTP 200. The wording is WeChat's as far as it is known.
struct WeChatError: Error, Sendable, Hashable {
    var code: Int
    var message: String

    init(_ code: Int, _ message: String) {
        self.code = code
        self.message = message
    }

    static let busy = WeChatError(-1, "system error")
    static let notLatestToken = WeChatError(
        40_001,
        "invalid credential, access_token is invalid or not latest"
    )
    static let grantType = WeChatError(40_002, "invalid grant_type")
    static let openID = WeChatError(40_003, "invalid openid")
    static let mediaType = WeChatError(40_004, "invalid media type")
    static let fileType = WeChatError(40_005, "invalid file type")
    static let fileSize = WeChatError(40_006, "invalid meida size")
    static let mediaID = WeChatError(40_007, "invalid media_id")
    static let messageType = WeChatError(40_008, "invalid message type")
    static let appID = WeChatError(40_013, "invalid appid")
    static let malformedToken = WeChatError(40_014, "invalid access_token")
    static let templateIDLength = WeChatError(40_036, "invalid template_id size")
    static let templateID = WeChatError(40_037, "invalid template_id")
    static let secret = WeChatError(40_125, "invalid appsecret")
    static let pagePath = WeChatError(40_165, "invalid weapp pagepath")
    static let accountType = WeChatError(40_200, "invalid account type")
    static let tokenMissing = WeChatError(41_001, "access_token missing")
    static let appIDMissing = WeChatError(41_002, "appid missing")
    static let secretMissing = WeChatError(41_004, "appsecret missing")
    static let mediaMissing = WeChatError(41_005, "media data missing")
    static let page = WeChatError(41_030, "invalid page")
    static let tokenExpired = WeChatError(42_001, "access_token expired")
    static let needsGET = WeChatError(43_001, "require GET method")
    static let needsPOST = WeChatError(43_002, "require POST method")
    static let notSubscribed = WeChatError(43_004, "require subscribe")
    static let refused = WeChatError(43_101, "user refuse to accept the msg")
    static let emptyBody = WeChatError(44_002, "empty post data")
    static let emptyNews = WeChatError(44_003, "empty news data")
    static let emptyText = WeChatError(44_004, "empty content")
    static let tooLong = WeChatError(45_002, "content size out of limit")
    static let titleTooLong = WeChatError(45_003, "title size out of limit")
    static let descriptionTooLong = WeChatError(45_004, "description size out of limit")
    static let urlTooLong = WeChatError(45_005, "url size out of limit")
    static let picURLTooLong = WeChatError(45_006, "picurl size out of limit")
    static let tooManyArticles = WeChatError(45_008, "article size out of limit")
    static let dailyQuota = WeChatError(45_009, "reach max api daily quota limit")
    static let minuteFrequency = WeChatError(45_011, "api minute-quota reach limit")
    static let windowClosed = WeChatError(
        45_015,
        "response out of time limit or subscription is canceled"
    )
    static let windowUsedUp = WeChatError(45_047, "out of response count limit")
    static let typingCommand = WeChatError(45_072, "invalid command")
    static let typingWithoutAction = WeChatError(45_080, "not interact in 30s")
    static let alreadyTyping = WeChatError(45_081, "already in typing")
    static let menuListSize = WeChatError(45_098, "msgmenu list size out of limit")
    static let menuItemSize = WeChatError(45_099, "msgmenu item size out of limit")
    static let jsonFormat = WeChatError(47_001, "data format error")
    static let unicodeEscapes = WeChatError(47_002, "data contain unicode escape")
    static let unauthorized = WeChatError(48_001, "api unauthorized")
    static let clearQuotaLimit = WeChatError(
        48_006,
        "forbid to clear quota because of reaching the limit"
    )
    static let typeNotPermitted = WeChatError(48_008, "no permission for this msgtype")
    static let articleID = WeChatError(53_600, "invalid article_id")
    static let unknownAgent = WeChatError(61_451, "invalid kf_account")
    static let agentName = WeChatError(61_452, "invalid kf_account name")
    static let pathUnknown = WeChatError(76_021, "cgi_path not found")

    static func argument(_ path: String) -> WeChatError {
        WeChatError(47_003, "argument invalid! \(path) invalid")
    }

    static func notOnWhitelist(_ address: String) -> WeChatError {
        WeChatError(40_164, "invalid ip \(address) ipv6 ::ffff:\(address), not in whitelist")
    }

    static func notSimulated(_ path: String) -> WeChatError {
        WeChatError(40_066, "invalid url: \(path) is not simulated")
    }

    /// - Parameter rid: the request's id, which WeChat puts at the end of every errmsg.
    func answer(rid: String) -> JSONValue {
        ["errcode": .integer(Int64(code)), "errmsg": .string("\(message) rid: \(rid)")]
    }
}
