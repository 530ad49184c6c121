package import BelfryCore

/// What an error code of WeChat means for the message, the account and the operator.
package struct WeChatErrorRule: Sendable, Hashable {
    package var codes: [Int]
    package var action: Action
    /// How the push ends where it ends.
    package var outcome: Outcome
    /// What happened, in plain words.
    package var cause: String
    /// What a person can do about it; empty where nothing need be done.
    package var remedy: String

    package enum Action: Sendable, Hashable {
        /// Surely not done; again after a while, not before this has passed.
        case retry(after: Duration?)
        /// The token is void: fetch another and repeat once.
        case refreshToken
        /// The media id is void: upload again and repeat once.
        case reupload
        /// WeChat knows better than our permission ledger.
        case correctLedger(Correction)
        /// This message will never go.
        case giveUp
        /// Nothing of this account will go until a person acts.
        case stopAccount
        /// The request itself is wrong; another try will not help.
        case fixProgram
    }

    /// What the permission ledger has to learn.
    package enum Correction: String, Sendable, Hashable, Codable {
        /// No window is open, whatever we thought.
        case windowClosed = "window"
        /// The count of the window is used up.
        case countUsed = "count"
        /// The person refuses, or the consent is used up.
        case refused
        /// The person does not follow the account.
        case unfollowed
    }
}

extension WeChatErrorRule {
    static func retry(_ codes: Int..., after: Duration? = nil, cause: String, remedy: String = "")
        -> WeChatErrorRule
    {
        WeChatErrorRule(
            codes: codes,
            action: .retry(after: after),
            outcome: .dead,
            cause: cause,
            remedy: remedy
        )
    }

    static func token(_ codes: Int..., cause: String, remedy: String) -> WeChatErrorRule {
        WeChatErrorRule(
            codes: codes,
            action: .refreshToken,
            outcome: .dead,
            cause: cause,
            remedy: remedy
        )
    }

    static func ledger(
        _ codes: Int...,
        correct: Correction,
        outcome: Outcome,
        cause: String,
        remedy: String
    ) -> WeChatErrorRule {
        WeChatErrorRule(
            codes: codes,
            action: .correctLedger(correct),
            outcome: outcome,
            cause: cause,
            remedy: remedy
        )
    }

    static func giveUp(
        _ codes: Int...,
        outcome: Outcome = .dead,
        cause: String,
        remedy: String = ""
    )
        -> WeChatErrorRule
    {
        WeChatErrorRule(
            codes: codes,
            action: .giveUp,
            outcome: outcome,
            cause: cause,
            remedy: remedy
        )
    }

    static func stop(_ codes: Int..., outcome: Outcome = .dead, cause: String, remedy: String)
        -> WeChatErrorRule
    {
        WeChatErrorRule(
            codes: codes,
            action: .stopAccount,
            outcome: outcome,
            cause: cause,
            remedy: remedy
        )
    }

    static func fix(_ codes: Int..., cause: String, remedy: String) -> WeChatErrorRule {
        WeChatErrorRule(
            codes: codes,
            action: .fixProgram,
            outcome: .dead,
            cause: cause,
            remedy: remedy
        )
    }
}
