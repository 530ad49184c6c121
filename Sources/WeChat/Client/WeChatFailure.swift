package import BelfryCore

/// Why a call to WeChat brought no result.
package struct WeChatFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// How far the call came: only in `call` can anything have been accepted.
    package enum Stage: String, Sendable, Hashable {
        /// Getting an access token, or uploading what the message needs.
        case preparation
        case call
    }

    package enum Kind: Sendable, Hashable {
        /// WeChat's own error.
        case refused(code: Int, message: String)
        case transport(HTTPFailure)
        /// An HTTP status without WeChat's JSON: a proxy spoke, or WeChat's front door.
        case status(Int, retryAfter: Duration?)
        /// The answer is not what WeChat sends: HTML, cut off, another shape.
        case unreadable(String)
        /// The newest token is refused, and it is too early to force another.
        case tokenRefused(retryAfter: Duration)
    }

    package var stage: Stage
    package var kind: Kind

    package init(_ kind: Kind, stage: Stage = .call) {
        self.kind = kind
        self.stage = stage
    }

    package var description: String { "\(cause.code): \(cause.message)" }

    /// WeChat's error code, if it spoke.
    package var code: Int? {
        guard case .refused(let code, _) = kind else { return nil }
        return code
    }

    /// In words for people; holds neither tokens nor secrets.
    package var cause: SendCause {
        switch kind {
        case .refused(let code, let message):
            let rule = WeChatErrorTable.rule(for: code)
            return SendCause(
                code: String(code),
                message: "\(rule.cause) (\(message))",
                remedy: rule.remedy
            )
        case .transport(let failure):
            return SendCause(code: failure.kind.rawValue, message: failure.message)
        case .status(let status, _):
            return SendCause(
                code: "http_\(status)",
                message: "HTTP status \(status) instead of an answer of WeChat",
                remedy: "if it repeats: check the base URL and the proxies on the way"
            )
        case .unreadable(let problem):
            return SendCause(
                code: "unreadable_answer",
                message: problem,
                remedy: "if it repeats: check the base URL and the proxies on the way"
            )
        case .tokenRefused:
            return SendCause(
                code: "token_refused",
                message: "WeChat refuses the token that it has just given",
                remedy: "if it repeats: check whether another program forces new tokens"
            )
        }
    }
}
