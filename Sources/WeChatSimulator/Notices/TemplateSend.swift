extension World {
    /// `POST /cgi-bin/message/template/send`: needs no window, but a follower.
    mutating func sendTemplate(
        _ call: APICall,
        _ number: Int,
        at now: Int64
    ) throws(WeChatError) -> APIAnswer {
        var openID = ""
        do throws(WeChatError) {
            let body = try noticeBody(call, number, &openID)
            guard self[number].followers[openID]?.subscribed == true else { throw .notSubscribed }
            let form = try TemplateForm.read(body, self[number].settings, isTyped: false)
            try Self.checkMiniProgram(body)
            let clientID = body["client_msg_id"]?.string
            if let clientID, let first = self[number].followers[openID]?.notice(clientID, at: now) {
                // Taken before: nothing is sent again, and the answer is the same.
                return Self.accepted(first)
            }
            let id = self[number].newNoticeID()
            if let clientID {
                self[number].followers[openID]?.remember(clientID, id, at: now)
            }
            finish(.template, form, openID, id, isNamed: clientID != nil, number, at: now)
            return Self.accepted(id)
        } catch {
            refuse(error, "template", openID, number, at: now)
            throw error
        }
    }

    /// `POST /cgi-bin/message/subscribe/bizsend`: uses up one consent to the template; needs no follower.
    mutating func sendSubscribe(
        _ call: APICall,
        _ number: Int,
        at now: Int64
    ) throws(WeChatError) -> APIAnswer {
        var openID = ""
        do throws(WeChatError) {
            if self[number].settings.standing == .test { throw .unauthorized }
            let body = try noticeBody(call, number, &openID)
            let form = try TemplateForm.read(body, self[number].settings, isTyped: true)
            if let page = body["page"], (page.string ?? "").isEmpty { throw .page }
            try Self.checkMiniProgram(body)
            guard self[number].followers[openID]?.useConsent(form.templateID) == true else {
                throw .refused
            }
            let id = self[number].newNoticeID()
            finish(.subscribe, form, openID, id, isNamed: false, number, at: now)
            return .ok
        } catch {
            refuse(error, "subscribe", openID, number, at: now)
            throw error
        }
    }

    private func noticeBody(_ call: APICall, _ number: Int, _ openID: inout String)
        throws(WeChatError) -> JSONValue
    {
        try call.needs("POST")
        if self[number].settings.standing == .unverified { throw .unauthorized }
        let body = try call.json()
        if call.hasUnicodeEscapes { throw .unicodeEscapes }
        guard let person = body["touser"]?.string, self[number].followers[person] != nil else {
            throw .openID
        }
        openID = person
        return body
    }

    private static func checkMiniProgram(_ body: JSONValue) throws(WeChatError) {
        guard let program = body["miniprogram"] else { return }
        guard program["appid"]?.string?.hasPrefix("wx") == true else { throw .appID }
        if (program["pagepath"]?.string ?? "").isEmpty { throw .pagePath }
    }

    /// An answer with a number that no floating-point number holds.
    private static func accepted(_ id: Int64) -> APIAnswer {
        .json(["errcode": 0, "errmsg": "ok", "msgid": .integer(id)])
    }

    private mutating func refuse(
        _ error: WeChatError,
        _ type: String,
        _ openID: String,
        _ number: Int,
        at now: Int64
    ) {
        log.refuse(
            Refusal(
                sequence: 0,
                time: now,
                appID: self[number].settings.appID,
                openID: openID,
                type: type,
                code: error.code
            )
        )
    }

    /// The call has been accepted: what becomes of the notice is decided here and told later.
    private mutating func finish(
        _ kind: Delivery.Kind,
        _ form: TemplateForm,
        _ openID: String,
        _ id: Int64,
        isNamed: Bool,
        _ number: Int,
        at now: Int64
    ) {
        let settings = self[number].settings
        if settings.noticeResult.isSeen {
            log.deliver(
                Delivery(
                    sequence: 0,
                    time: now,
                    appID: settings.appID,
                    openID: openID,
                    kind: kind,
                    type: kind.rawValue,
                    content: form.content.text,
                    window: nil,
                    permitted: true
                ),
                duplicate: false
            )
        } else {
            log.count { $0.noticesLost += 1 }
        }
        if settings.noticeResult == .never { return }
        self[number].reports.append(
            NoticeReport(
                kind: kind,
                openID: openID,
                templateID: form.templateID,
                messageID: isNamed && !settings.reportsNamedIDs ? 0 : id,
                result: settings.noticeResult
            )
        )
    }
}
