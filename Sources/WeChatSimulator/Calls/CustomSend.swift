extension World {
    /// `POST /cgi-bin/message/custom/send`
    mutating func sendCustom(
        _ call: APICall,
        _ number: Int,
        at now: Int64
    ) throws(WeChatError) -> APIAnswer {
        var message = CustomMessage()
        do throws(WeChatError) {
            try call.needs("POST")
            try permit(number)
            message = try CustomMessage.read(call, self[number], at: now)
            let window = try useWindow(message, number, at: now)
            deliver(message, number, window, at: now)
            return .ok
        } catch {
            log.refuse(
                Refusal(
                    sequence: 0,
                    time: now,
                    appID: self[number].settings.appID,
                    openID: message.openID,
                    type: message.type,
                    code: error.code
                )
            )
            throw error
        }
    }

    private func permit(_ number: Int) throws(WeChatError) {
        if self[number].settings.standing == .unverified { throw .unauthorized }
    }

    /// The window that the message uses; nil when the account only records what lacks one.
    private mutating func useWindow(
        _ message: CustomMessage,
        _ number: Int,
        at now: Int64
    ) throws(WeChatError) -> UserAction? {
        let settings = self[number].settings
        guard let subscribed = self[number].followers[message.openID]?.subscribed else {
            throw .openID
        }
        let refusal: WeChatError
        if !subscribed {
            refusal =
                settings.unfollowedCode == WeChatError.notSubscribed.code
                ? .notSubscribed : .windowClosed
        } else {
            let verdict =
                self[number].followers[message.openID]?.windows.use(
                    at: now,
                    settings.combination
                ) ?? .closed
            switch verdict {
            case .used(let action): return action
            case .exhausted: refusal = .windowUsedUp
            case .closed: refusal = .windowClosed
            }
        }
        // Nobody without a subscription has a chat to show it in.
        if settings.enforcement == .refuse || !subscribed { throw refusal }
        return nil
    }

    private mutating func deliver(
        _ message: CustomMessage,
        _ number: Int,
        _ window: UserAction?,
        at now: Int64
    ) {
        let content = message.content.text
        var hasher = Hasher()
        hasher.combine(message.type)
        hasher.combine(content)
        let hash = hasher.finalize()
        let duplicate = self[number].followers[message.openID]?.sees(hash) ?? false
        self[number].followers[message.openID]?.typingUntil = 0
        log.deliver(
            Delivery(
                sequence: 0,
                time: now,
                appID: self[number].settings.appID,
                openID: message.openID,
                kind: .custom,
                type: message.type,
                content: content,
                window: window,
                permitted: window != nil,
                garbled: message.isGarbled
            ),
            duplicate: duplicate
        )
    }
}
