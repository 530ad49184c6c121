package import BelfryCore

/// Where an account's webhooks go.
package struct WebhookTarget: Sendable, Hashable {
    package var url: String
    /// The newest first; each signs every message.
    package var secrets: [WebhookSecret]
    package var timeout: Duration

    package init(url: String, secrets: [WebhookSecret], timeout: Duration = .seconds(15)) {
        self.url = url
        self.secrets = secrets
        self.timeout = timeout
    }
}

/// Posts messages to the account's own server, signed by the Standard Webhooks specification.
///
/// Delivery is at least once: where no answer came, the message is sent again with the same `webhook-id`, by which the
/// receiver knows it. The body is the message's own; where a collecting merge kept several, a JSON array of them, oldest first.
///
/// | answer | outcome |
/// |---|---|
/// | 2xx | sent, whatever its body is |
/// | 408, 425, 429 | retry, after `Retry-After` |
/// | 5xx, no connection, no answer | the same, and the webhook counts as out of order |
/// | 3xx | refused: redirects are not followed |
/// | 410 and every other 4xx | refused |
package struct WebhookChannel: Channel {
    package var name: String { "webhook" }

    private let target: @Sendable (String) async -> WebhookTarget?
    private let caller: any HTTPCaller
    private let guardian: WebhookGuard
    private let clock: any WallClock
    private let concurrency: @Sendable () -> Int

    /// - Parameters:
    ///   - concurrency: calls at the same time, for one batch; asked for each.
    ///   - target: where the messages of an account go; `nil`: it has no webhook.
    package init(
        caller: any HTTPCaller,
        guardian: WebhookGuard,
        clock: any WallClock,
        concurrency: @escaping @Sendable () -> Int = { 32 },
        target: @escaping @Sendable (String) async -> WebhookTarget?
    ) {
        self.caller = caller
        self.guardian = guardian
        self.clock = clock
        self.concurrency = concurrency
        self.target = target
    }

    package func send(_ messages: [OutboundMessage]) async -> [SendOutcome] {
        await messages.mapConcurrently(limit: concurrency()) { await send($0) }
    }

    private func send(_ message: OutboundMessage) async -> SendOutcome {
        let account = message.recipient.account
        guard let target = await target(account) else {
            let cause = SendCause(
                code: "no_webhook",
                message: "the account \(account) has no webhook",
                remedy:
                    "set its web address and secret (belfry account set), then retry the dead letter"
            )
            return .refused(.dead, cause: cause)
        }
        do {
            let address = try await guardian.check(target.url)
            return Self.outcome(try await caller.call(call(message, target, address)))
        } catch {
            return Self.outcome(error)
        }
    }

    private func call(_ message: OutboundMessage, _ target: WebhookTarget, _ address: String)
        -> HTTPCall
    {
        let id = message.wireID
        let body = message.wireBody
        let seconds = clock.now().milliseconds / 1000
        let signature = WebhookSignature.sign(
            id: id,
            seconds: seconds,
            body: body,
            secrets: target.secrets
        )
        return HTTPCall(
            method: "POST",
            url: target.url,
            headers: [
                ("content-type", "application/json"), ("user-agent", "Belfry"),
                ("webhook-id", id), ("webhook-timestamp", String(seconds)),
                ("webhook-signature", signature),
            ],
            body: body,
            timeout: target.timeout,
            answerLimit: 64 * 1024,
            headSuffices: true,
            address: address
        )
    }

    // MARK: Outcomes

    private static func outcome(_ answer: HTTPAnswer) -> SendOutcome {
        let status = answer.status
        if (200..<300).contains(status) { return .sent(reference: nil) }
        var cause = SendCause(code: "http_\(status)", message: "the webhook answered \(status)")
        switch status {
        case 500...: return .unreachable(after: answer.retryAfter, cause: cause)
        case 408, 425, 429: return .retry(after: answer.retryAfter, cause: cause)
        case 300..<400:
            cause.remedy = "enter the address it redirects to: redirects are not followed"
        case 410: cause.remedy = "the receiver wants no more: remove the webhook or correct it"
        case 401, 403: cause.remedy = "check the secret on both sides"
        default: cause.remedy = "ask the receiver what it does not accept"
        }
        return .refused(.dead, cause: cause)
    }

    private static func outcome(_ failure: HTTPFailure) -> SendOutcome {
        var cause = SendCause(code: failure.kind.rawValue, message: failure.message)
        switch failure.kind {
        case .forbidden:
            cause.remedy = "use a public address, or allow this one in the configuration"
            return .refused(.dead, cause: cause)
        case .notConnected, .noAnswer: return .unreachable(after: nil, cause: cause)
        case .tooLarge: return .retry(after: nil, cause: cause)
        }
    }
}
