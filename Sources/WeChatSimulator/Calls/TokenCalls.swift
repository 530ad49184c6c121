extension World {
    /// `GET /cgi-bin/token`
    mutating func fetchToken(_ call: APICall, at now: Int64) throws(WeChatError) -> APIAnswer {
        let number = try credentials(
            appID: call.query["appid"],
            secret: call.query["secret"],
            grant: call.query["grant_type"],
            call
        )
        try count(call.path, number, at: now)
        let text = newToken(number)
        return Self.answer(self[number].tokens.fetch(at: now, named: text))
    }

    /// `POST /cgi-bin/stable_token`
    mutating func fetchStableToken(
        _ call: APICall,
        at now: Int64
    ) throws(WeChatError) -> APIAnswer {
        try call.needs("POST")
        let body = try call.json()
        let number = try credentials(
            appID: body["appid"]?.string,
            secret: body["secret"]?.string,
            grant: body["grant_type"]?.string,
            call
        )
        try count(call.path, number, at: now)
        let text = newToken(number)
        guard body["force_refresh"]?.bool == true else {
            return Self.answer(self[number].tokens.fetchStable(at: now, named: text))
        }
        do {
            return Self.answer(try self[number].tokens.forceStable(at: now, named: text))
        } catch {
            throw .dailyQuota
        }
    }

    private func credentials(
        appID: String?,
        secret: String?,
        grant: String?,
        _ call: APICall
    ) throws(WeChatError) -> Int {
        guard let appID, !appID.isEmpty else { throw .appIDMissing }
        guard let secret, !secret.isEmpty else { throw .secretMissing }
        guard grant == "client_credential" else { throw .grantType }
        guard let number = number(of: appID) else { throw .appID }
        guard self[number].settings.secret == secret else { throw .secret }
        if let allowed = self[number].settings.allowedIPs, !allowed.contains(call.address) {
            throw .notOnWhitelist(call.address)
        }
        return number
    }

    private static func answer(_ issued: AccessTokens.Issued) -> APIAnswer {
        .json(["access_token": .string(issued.text), "expires_in": .integer(issued.expiresIn)])
    }
}
