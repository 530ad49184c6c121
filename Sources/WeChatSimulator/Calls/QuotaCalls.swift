extension World {
    /// `POST /cgi-bin/clear_quota`: ten times a month.
    mutating func clearQuota(
        _ call: APICall,
        _ number: Int,
        at now: Int64
    ) throws(WeChatError) -> APIAnswer {
        try call.needs("POST")
        guard try call.json()["appid"]?.string == self[number].settings.appID else {
            throw .appID
        }
        try self[number].budget.clear(at: now)
        return .ok
    }

    /// `POST /cgi-bin/openapi/quota/get`
    mutating func quota(
        _ call: APICall,
        _ number: Int,
        at now: Int64
    ) throws(WeChatError) -> APIAnswer {
        try call.needs("POST")
        let settings = self[number].settings
        guard let path = try call.json()["cgi_path"]?.string,
            let limit = CallBudget.dailyLimit(path, settings)
        else { throw .pathUnknown }
        let used = self[number].budget.used(path, at: now)
        return .json([
            "errcode": 0, "errmsg": "ok",
            "quota": [
                "daily_limit": .integer(Int64(limit)), "used": .integer(Int64(used)),
                "remain": .integer(Int64(max(0, limit - used))),
            ],
            "rate_limit": [
                "call_count": .integer(Int64(settings.sendsPerMinute ?? 0)),
                "refresh_second": 60,
            ],
        ])
    }
}
