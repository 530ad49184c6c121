package import BelfryCore
package import BelfryWeChat
import Crypto

/// Sends messages by one interface of WeChat: the body is that interface's message as JSON, the person is the openid.
///
/// WeChat takes one message a call, so a batch goes out as many calls at once, bounded for each account. Where a merge collected
/// several messages, the newest is sent: each would cost one of the few that a window allows. Template messages and notifications have a quota
/// a day of their own: once WeChat says that it is used up, the account's others wait for the next day without a call.
package struct WeChatChannel: Channel {
    package var name: String { interface.rawValue }

    private let interface: WeChatInterface
    private let sender: @Sendable (String) async -> WeChatSender?
    private let clock: any WallClock
    private let concurrency: @Sendable () -> Int
    private let used = UsedQuotas()

    /// - Parameters:
    ///   - concurrency: calls at the same time, for one account and batch; asked for each.
    ///   - sender: who sends for an account; `nil`: the account is not known or has no secret.
    package init(
        _ interface: WeChatInterface = .customerService,
        clock: any WallClock,
        concurrency: @escaping @Sendable () -> Int = { 32 },
        sender: @escaping @Sendable (String) async -> WeChatSender?
    ) {
        self.interface = interface
        self.clock = clock
        self.concurrency = concurrency
        self.sender = sender
    }

    /// One API, whichever interface.
    package func endpoint(of account: String) -> Endpoint {
        Endpoint(channel: WeChatInterface.customerService.rawValue, name: account)
    }

    package func send(_ messages: [OutboundMessage]) async -> [SendOutcome] {
        let accounts = Dictionary(grouping: messages.indices) { messages[$0].recipient.account }
        guard accounts.count > 1 else {
            return await send(messages, account: messages.first?.recipient.account ?? "")
        }
        let parts = await Array(accounts).mapConcurrently(limit: accounts.count) { entry in
            let own = await send(entry.value.map { messages[$0] }, account: entry.key)
            return Array(zip(entry.value, own))
        }
        return parts.joined().sorted { $0.0 < $1.0 }.map(\.1)
    }

    private func send(_ messages: [OutboundMessage], account: String) async -> [SendOutcome] {
        guard let sender = await sender(account) else {
            let cause = SendCause(
                code: "no_account",
                message: "the account \(account) has no appid and secret",
                remedy: "enter them (belfry account set), then retry the dead letter"
            )
            return messages.map { _ in .refused(.dead, cause: cause) }
        }
        return await messages.mapConcurrently(limit: concurrency()) { message in
            await send(message, by: sender)
        }
    }

    private func send(_ message: OutboundMessage, by sender: WeChatSender) async -> SendOutcome {
        let account = message.recipient.account
        if let answer = used.answer(account, at: clock.now()) { return answer }
        let outcome = await call(message, by: sender)
        guard case .refused(.quotaDay, let cause) = outcome else { return outcome }
        return used.note(account, cause, at: clock.now())
    }

    private func call(_ message: OutboundMessage, by sender: WeChatSender) async -> SendOutcome {
        let person = message.recipient.person
        switch interface {
        case .customerService:
            return await sender.send(message.body, to: person, due: message.due)
        case .template:
            return await sender.sendTemplate(message.body, named: message.clientID, to: person)
        case .subscribe: return await sender.sendNotification(message.body, to: person)
        }
    }
}

extension OutboundMessage {
    /// Names this version of the push to the other side: the same at every attempt, and 32 characters whatever the id is.
    fileprivate var clientID: String {
        let digest = SHA256.hash(data: Array("\(id.text)\n\(sequence)".utf8))
        return Hex.text(Array(digest.prefix(16)))
    }
}
