package import BelfryCore
package import BelfryWeChat

/// Sends customer-service messages: the body is ``BelfryWeChat/CustomerMessage`` as JSON, the person is the openid.
///
/// WeChat takes one message a call, so a batch goes out as many calls at once, bounded for each account. Where a merge collected
/// several messages, the newest is sent: each would cost one of the few that a window allows.
package struct WeChatChannel: Channel {
    package var name: String { "wechat" }

    private let sender: @Sendable (String) async -> WeChatSender?
    private let concurrency: Int

    /// - Parameters:
    ///   - concurrency: calls at the same time, for one account and batch.
    ///   - sender: who sends for an account; `nil`: the account is not known or has no secret.
    package init(
        concurrency: Int = 32,
        sender: @escaping @Sendable (String) async -> WeChatSender?
    ) {
        self.concurrency = concurrency
        self.sender = sender
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
                remedy: "enter them, then resume the account"
            )
            return messages.map { _ in .stopAccount(cause: cause) }
        }
        return await messages.mapConcurrently(limit: concurrency) { message in
            await sender.send(message.body, to: message.recipient.person, due: message.due)
        }
    }
}
