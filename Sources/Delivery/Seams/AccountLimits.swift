package import BelfryCore

/// What accounts may do, looked up again and again: a change takes effect within ``Desk/limitsAge``.
package protocol AccountLimits: Sendable {
    /// Called often: answers from memory.
    func limit(of account: String, at now: Timestamp) -> AccountLimit
}

/// What one account may do at the moment.
package struct AccountLimit: Sendable, Hashable {
    /// `nil`: as fast as the channel takes them.
    package var rate: Rate?
    /// The most calls under way at once; `nil`: no bound of its own. A message is a call, but where the channel takes many in one
    /// (``BelfryCore/Channel/isBatching``).
    package var concurrency: Int?
    package var quota: DailyQuota?
    /// The end of the quiet hours that now lies in; `nil` outside them.
    package var quietUntil: Timestamp?
    package var pause: Pause?
    package var unknown: UnknownPolicy
    /// How many messages it sends in a turn compared with others, where all want to send more than can go; at least 1.
    package var weight: Int

    /// A token bucket.
    package struct Rate: Sendable, Hashable {
        /// Above zero; to stop an account, pause it.
        package var perSecond: Double
        /// How many may go at once after a rest; at least 1.
        package var burst: Int

        package init(perSecond: Double, burst: Int) {
            self.perSecond = perSecond
            self.burst = burst
        }
    }

    /// How many messages may be handed over on one day, in whatever time zone the other side counts days.
    package struct DailyQuota: Sendable, Hashable {
        package var messages: Int
        /// Names the day, such as its number since 1970: counting begins again when it changes.
        package var day: Int
        /// When the next day begins.
        package var ends: Timestamp
        /// Handed over on this day before this process began.
        package var usedBefore: Int

        package init(messages: Int, day: Int, ends: Timestamp, usedBefore: Int = 0) {
            self.messages = messages
            self.day = day
            self.ends = ends
            self.usedBefore = usedBefore
        }
    }

    package init(
        rate: Rate? = nil,
        concurrency: Int? = nil,
        quota: DailyQuota? = nil,
        quietUntil: Timestamp? = nil,
        pause: Pause? = nil,
        unknown: UnknownPolicy = .assumeSent,
        weight: Int = 1
    ) {
        self.rate = rate
        self.concurrency = concurrency
        self.quota = quota
        self.quietUntil = quietUntil
        self.pause = pause
        self.unknown = unknown
        self.weight = weight
    }
}

/// Why nothing goes out, and until when, if that is known.
package struct Pause: Sendable, Hashable {
    package var cause: SendCause
    package var until: Timestamp?

    package init(cause: SendCause, until: Timestamp? = nil) {
        self.cause = cause
        self.until = until
    }
}

/// What to make of a call that ended without an answer after the message may have been accepted.
package enum UnknownPolicy: String, Sendable, Hashable, Codable, CaseIterable {
    /// Better never than twice: it ends as ``Outcome/unknown``, counted as sent.
    case assumeSent = "assume-sent"
    /// Better twice than never: one more try, if it was the first; whatever is unknown after that is assumed to be sent.
    case retryOnce = "retry-once"
}

/// No limits for anybody.
package struct NoLimits: AccountLimits {
    package init() {}

    package func limit(of account: String, at now: Timestamp) -> AccountLimit { AccountLimit() }
}
