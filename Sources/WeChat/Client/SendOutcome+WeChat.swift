package import BelfryCore

extension SendOutcome {
    /// What a failed call means for the message that it carried.
    ///
    /// custom/send has neither a message id nor an idempotency key, so what matters is whether WeChat may have taken the message:
    ///
    /// | what happened | outcome |
    /// |---|---|
    /// | WeChat's own error | by ``WeChatErrorTable`` |
    /// | no connection; no answer, a broken one or 5xx before the call itself | retry, and the API counts as out of order |
    /// | time ran out, connection broke, answer too large | unknown, which counts as out of order, too |
    /// | HTTP 5xx, or an answer that is not WeChat's | unknown: it may come from behind the acceptance |
    /// | HTTP 3xx, 4xx: somebody in front refused the request | retry, after `Retry-After` |
    /// | the base URL may not be called | stop the account |
    ///
    /// - Parameter isNotice: for template messages and subscribe notifications: what forbids only them is no reason to stop the
    ///   account's other messages.
    package init(_ failure: WeChatFailure, isNotice: Bool = false) {
        let cause = failure.cause
        switch failure.kind {
        case .refused(let code, _):
            let rule = WeChatErrorTable.rule(for: code)
            if isNotice, WeChatErrorTable.ofOneInterface.contains(code) {
                self = .refused(rule.outcome, cause: cause)
            } else {
                self.init(rule, cause, stage: failure.stage)
            }
        case .tokenRefused(let after): self = .retry(after: after, cause: cause)
        case .transport(let transport) where transport.kind == .forbidden:
            self = .stopAccount(cause: cause)
        case .transport(let transport) where transport.kind == .notConnected:
            self = .unreachable(after: nil, cause: cause)
        case .status(let status, let after) where status < 500:
            self = .retry(after: after, cause: cause)
        case .status(_, let after) where failure.stage == .preparation:
            self = .unreachable(after: after, cause: cause)
        case .transport, .status, .unreadable:
            self =
                failure.stage == .preparation
                ? .unreachable(after: nil, cause: cause) : .unknown(cause: cause)
        }
    }

    private init(_ rule: WeChatErrorRule, _ cause: SendCause, stage: WeChatFailure.Stage) {
        switch rule.action {
        case .retry(let after): self = .retry(after: after, cause: cause)
        // Asking for a token answers 40001 where the secret is wrong; a new token cannot help.
        case .refreshToken where stage == .preparation: self = .stopAccount(cause: cause)
        // Refused twice, with a fresh token in between: another program may be at it.
        case .refreshToken: self = .retry(after: .seconds(30), cause: cause)
        case .stopAccount: self = .stopAccount(cause: cause)
        case .reupload, .correctLedger, .giveUp, .fixProgram:
            self = .refused(rule.outcome, cause: cause)
        }
    }
}
