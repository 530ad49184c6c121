/// A call to the API, off the wire.
struct APICall: Sendable {
    var method: String
    var path: String
    var query: [String: String]
    var contentType: String = ""
    var body: [UInt8] = []
    /// The address it came from.
    var address: String = "127.0.0.1"

    func needs(_ method: String) throws(WeChatError) {
        if self.method == method { return }
        throw method == "POST" ? .needsPOST : .needsGET
    }

    /// The body as JSON.
    func json() throws(WeChatError) -> JSONValue {
        if body.isEmpty { throw .emptyBody }
        do {
            let value = try JSONValue.parse(body)
            if case .object = value { return value }
        } catch {
            throw .jsonFormat
        }
        throw .jsonFormat
    }

    /// Whether the body has a `\uXXXX` escape in it.
    var hasUnicodeEscapes: Bool {
        var index = 0
        while index + 1 < body.count {
            if body[index] == UInt8(ascii: "\\") {
                if body[index + 1] == UInt8(ascii: "u") { return true }
                index += 1
            }
            index += 1
        }
        return false
    }
}

/// What a call brings back.
enum APIAnswer: Sendable {
    case json(JSONValue)
    case file([UInt8], format: String)

    static let ok = APIAnswer.json(["errcode": 0, "errmsg": "ok"])
}

extension World {
    /// Carries a call out. Refusals are answers too.
    mutating func answer(_ call: APICall, at now: Int64) -> APIAnswer {
        do throws(WeChatError) {
            switch call.path {
            case "/cgi-bin/token": return try fetchToken(call, at: now)
            case "/cgi-bin/stable_token": return try fetchStableToken(call, at: now)
            default:
                let number = try authorize(call, at: now)
                return try answer(call, of: number, at: now)
            }
        } catch {
            return .json(error.answer(rid: newRID()))
        }
    }

    private mutating func answer(
        _ call: APICall,
        of number: Int,
        at now: Int64
    ) throws(WeChatError) -> APIAnswer {
        switch call.path {
        case "/cgi-bin/clear_quota": return try clearQuota(call, number, at: now)
        case "/cgi-bin/openapi/quota/get": return try quota(call, number, at: now)
        default: break
        }
        try count(call.path, number, at: now)
        switch call.path {
        case "/cgi-bin/message/custom/send": return try sendCustom(call, number, at: now)
        case "/cgi-bin/message/template/send": return try sendTemplate(call, number, at: now)
        case "/cgi-bin/message/subscribe/bizsend":
            return try sendSubscribe(call, number, at: now)
        case "/cgi-bin/message/custom/typing": return try type(call, number, at: now)
        case "/cgi-bin/media/upload": return try upload(call, number, lasting: false, at: now)
        case "/cgi-bin/material/add_material":
            return try upload(call, number, lasting: true, at: now)
        case "/cgi-bin/media/get": return try fetchMedia(call, number, at: now)
        case "/cgi-bin/user/info": return try userInfo(call, number)
        case "/cgi-bin/user/info/batchget": return try userInfos(call, number)
        case "/cgi-bin/qrcode/create": return try createCode(call, number, at: now)
        default: throw .notSimulated(call.path)
        }
    }

    /// The account of the call's token.
    private func authorize(_ call: APICall, at now: Int64) throws(WeChatError) -> Int {
        guard let token = call.query["access_token"], !token.isEmpty else { throw .tokenMissing }
        guard token.utf8.count >= 64, token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw .malformedToken
        }
        guard let number = number(ofToken: token) else { throw .notLatestToken }
        switch self[number].tokens.standing(of: token, at: now) {
        case .alive: return number
        case .expired: throw .tokenExpired
        case .voided, .unknown: throw .notLatestToken
        }
    }

    mutating func count(_ path: String, _ number: Int, at now: Int64) throws(WeChatError) {
        let settings = self[number].settings
        let perMinute: Int? =
            switch path {
            case "/cgi-bin/stable_token": 10_000
            case "/cgi-bin/message/custom/send": settings.sendsPerMinute
            default: nil
            }
        try self[number].budget.count(
            path,
            at: now,
            daily: CallBudget.dailyLimit(path, settings),
            perMinute: perMinute
        )
    }
}
