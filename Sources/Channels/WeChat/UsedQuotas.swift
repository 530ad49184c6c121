import BelfryCore
import Synchronization

/// The accounts whose quota of one interface WeChat has said to be used up today: nothing is asked of it before the next day.
final class UsedQuotas: Sendable {
    private struct Used {
        var until: Timestamp
        var cause: SendCause
    }

    private let accounts = Mutex<[String: Used]>([:])

    /// What to answer without a call; `nil` where nothing is known to be used up.
    func answer(_ account: String, at now: Timestamp) -> SendOutcome? {
        accounts.withLock { accounts in
            guard let used = accounts[account] else { return nil }
            guard used.until > now else {
                accounts[account] = nil
                return nil
            }
            return .retry(after: used.until - now, cause: used.cause)
        }
    }

    /// Notes that WeChat has said so.
    ///
    /// - Returns: what to answer.
    func note(_ account: String, _ cause: SendCause, at now: Timestamp) -> SendOutcome {
        let until = ChinaDay(of: now).ends
        var cause = cause
        cause.remedy =
            "it goes tomorrow (China) by itself; or clear the quota at WeChat and retry it"
        let used = Used(until: until, cause: cause)
        accounts.withLock { $0[account] = used }
        return .retry(after: until - now, cause: cause)
    }
}
