package import BelfryCore

/// Speaks with the WeChat API for one account.
package struct WeChatClient: Sendable {
    package let appID: String
    package let tokens: AccessTokenSource
    private let base: WeChatBaseURL
    private let caller: any HTTPCaller
    private let timeout: Duration

    package init(
        credentials: WeChatCredentials,
        base: WeChatBaseURL = .official,
        caller: any HTTPCaller,
        clock: any WallClock,
        timeout: Duration = .seconds(10)
    ) {
        appID = credentials.appID
        tokens = AccessTokenSource(
            credentials: credentials,
            base: base,
            caller: caller,
            clock: clock
        )
        self.base = base
        self.caller = caller
        self.timeout = timeout
    }

    // MARK: Messages

    /// Sends a customer-service message. Never repeats it where WeChat may have taken it.
    package func send(_ message: CustomerMessage, to openID: String) async -> SendOutcome {
        do {
            try await deliver(message, to: openID)
            return .sent(reference: nil)
        } catch {
            return SendOutcome(error)
        }
    }

    /// As ``send(_:to:)``, for who wants to look at the failure.
    package func deliver(_ message: CustomerMessage, to openID: String)
        async throws(WeChatFailure)
    {
        _ = try await accepted("/cgi-bin/message/custom/send", message.json(to: openID))
    }

    /// Sends a template message.
    ///
    /// - Parameter name: tells this very message from every other: WeChat does not send it twice within
    ///   ``TemplateMessage/repetition``, so that a try without an answer may be repeated.
    /// - Returns: with WeChat's id of the message as the reference.
    package func send(_ message: TemplateMessage, named name: String, to openID: String) async
        -> SendOutcome
    {
        do {
            let answer = try await accepted(
                "/cgi-bin/message/template/send",
                message.json(to: openID, named: name)
            )
            return .sent(reference: answer.value["msgid"]?.idText)
        } catch {
            let outcome = SendOutcome(error, isNotice: true)
            guard case .unknown(let cause) = outcome else { return outcome }
            return .repeatable(within: TemplateMessage.repetition, cause: cause)
        }
    }

    /// Sends a subscribe notification. WeChat's answer names no id: the reference is the template's.
    package func send(_ notification: SubscribeNotification, to openID: String) async
        -> SendOutcome
    {
        do {
            let path = "/cgi-bin/message/subscribe/bizsend"
            _ = try await accepted(path, notification.json(to: openID))
            return .sent(reference: notification.templateID)
        } catch {
            return SendOutcome(error, isNotice: true)
        }
    }

    /// Shows or hides "typing"; worth nothing more than a try.
    package func typing(_ on: Bool, to openID: String) async throws(WeChatFailure) {
        let body = JSONValue.members([
            "touser": .string(openID), "command": .string(on ? "Typing" : "CancelTyping"),
        ])
        _ = try await post("/cgi-bin/message/custom/typing", body.bytes)
    }

    // MARK: People

    package func user(_ openID: String) async throws(WeChatFailure) -> WeChatUser {
        let answer = try await authorised { token, base, timeout in
            HTTPCall(
                url: base.url(
                    "/cgi-bin/user/info",
                    ["access_token": token, "openid": openID, "lang": "zh_CN"]
                ),
                timeout: timeout
            )
        }
        return try WeChatUser(answer)
    }

    // MARK: Media

    /// Uploads a temporary media file, good for three days. Limits are ``MediaFile/validate()``'s.
    package func upload(_ file: MediaFile) async throws(WeChatFailure) -> UploadedMedia {
        let form = MultipartForm(file: file)
        let answer = try await authorised(stage: .preparation) { token, base, timeout in
            HTTPCall(
                method: "POST",
                url: base.url(
                    "/cgi-bin/media/upload",
                    ["access_token": token, "type": file.kind.rawValue]
                ),
                headers: [("content-type", form.contentType)],
                body: form.body,
                timeout: max(timeout, .seconds(60))
            )
        }
        return try UploadedMedia(answer)
    }

    // MARK: Calls

    private func accepted(_ path: String, _ body: [UInt8]) async throws(WeChatFailure)
        -> APIAnswer
    {
        let answer = try await post(path, body)
        // Only errcode 0 is an acceptance; a proxy's friendly JSON is not.
        guard answer.code == 0 else {
            throw WeChatFailure(.unreadable("the answer has no errcode"))
        }
        return answer
    }

    private func post(_ path: String, _ body: [UInt8]) async throws(WeChatFailure) -> APIAnswer {
        try await authorised { token, base, timeout in
            HTTPCall(
                method: "POST",
                url: base.url(path, ["access_token": token]),
                headers: [("content-type", "application/json; charset=utf-8")],
                body: body,
                timeout: timeout
            )
        }
    }

    /// Makes a call with a token; where the token is refused, once more with another, and never again.
    private func authorised(
        stage: WeChatFailure.Stage = .call,
        _ make: (String, WeChatBaseURL, Duration) -> HTTPCall
    ) async throws(WeChatFailure) -> APIAnswer {
        let token = try await tokens.token()
        do {
            return try await once(make(token.value, base, timeout), stage)
        } catch {
            guard let code = error.code,
                WeChatErrorTable.rule(for: code).action == .refreshToken
            else { throw error }
        }
        tokens.refused(token)
        let fresh = try await tokens.token()
        do {
            return try await once(make(fresh.value, base, timeout), stage)
        } catch {
            if let code = error.code, WeChatErrorTable.rule(for: code).action == .refreshToken {
                tokens.refused(fresh)
                // With a fresh token in hand the secret is not the cause: not a reason to stop the account.
                throw WeChatFailure(error.kind, stage: .call)
            }
            throw error
        }
    }

    private func once(_ call: HTTPCall, _ stage: WeChatFailure.Stage) async throws(WeChatFailure)
        -> APIAnswer
    {
        let answer: HTTPAnswer
        do { answer = try await caller.call(call) } catch {
            throw WeChatFailure(.transport(error), stage: stage)
        }
        return try APIAnswer(answer, stage: stage)
    }
}
