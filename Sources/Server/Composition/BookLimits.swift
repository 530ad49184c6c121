import BelfryActivation
import BelfryCore
import BelfryDelivery
import BelfryRecords

/// What accounts may do at the moment, from the accounts and what is set while running, as they are in memory: a change holds from the next push on.
struct BookLimits: AccountLimits {
    let accounts: AccountBook
    let live: LiveConfiguration

    func limit(of account: String, at now: Timestamp) -> AccountLimit {
        guard let account = accounts[account] else { return AccountLimit() }
        let record = account.record
        let own = live.settings.accounts[account.key] ?? LiveSettings.OfAccount()
        return AccountLimit(
            rate: (own.rate ?? record.rate).map { .init(perSecond: Double($0), burst: $0) },
            concurrency: own.concurrency ?? record.concurrency,
            quota: record.dailyQuota.map { quota(of: $0, account, now) },
            quietUntil: account.quietHours?.period(at: now, in: account.planner.account.zone)?
                .upperBound,
            pause: (own.paused ?? record.paused).map {
                Pause(cause: SendCause(code: "paused", message: $0))
            },
            unknown: record.unknownPolicy == .assumeSent ? .assumeSent : .retryOnce,
            weight: own.weight ?? 1
        )
    }

    /// WeChat counts days in Beijing.
    private func quota(of messages: Int, _ account: Account, _ now: Timestamp)
        -> AccountLimit.DailyQuota
    {
        let day = ChinaDay(of: now)
        return .init(
            messages: messages,
            day: day.number,
            ends: day.ends,
            usedBefore: accounts.usedBefore(account.key, day: day)
        )
    }
}
