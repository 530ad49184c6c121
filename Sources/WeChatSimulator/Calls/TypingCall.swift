extension World {
    /// `POST /cgi-bin/message/custom/typing`: lasts 15 s, within 30 s of the person's last action.
    mutating func type(
        _ call: APICall,
        _ number: Int,
        at now: Int64
    ) throws(WeChatError) -> APIAnswer {
        try call.needs("POST")
        if self[number].settings.standing == .unverified { throw .unauthorized }
        let body = try call.json()
        guard let openID = body["touser"]?.string,
            let follower = self[number].followers[openID], follower.subscribed
        else { throw .openID }
        let typingUntil: Int64
        switch body["command"]?.string {
        case "Typing":
            if now - follower.lastAction > 30_000 { throw .typingWithoutAction }
            if follower.typingUntil > now { throw .alreadyTyping }
            typingUntil = now + 15_000
        case "CancelTyping": typingUntil = 0
        default: throw .typingCommand
        }
        self[number].followers[openID]?.typingUntil = typingUntil
        return .ok
    }
}
