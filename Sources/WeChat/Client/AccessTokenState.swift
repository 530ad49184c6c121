package import BelfryCore

/// A token and until when it is good.
package struct AccessToken: Sendable, Hashable, CustomStringConvertible {
    package var value: String
    package var obtained: Timestamp
    package var expires: Timestamp

    package init(value: String, obtained: Timestamp, expires: Timestamp) {
        self.value = value
        self.obtained = obtained
        self.expires = expires
    }

    /// Never the token itself.
    package var description: String { "AccessToken(hidden)" }
}

/// Decides when a token is good enough, when it is fetched, and when WeChat is forced to make another. Does no I/O.
struct AccessTokenState {
    /// In the last five minutes of a token WeChat gives a newer one, and both are good.
    static let margin = Duration.minutes(5)
    /// How soon after a fetch, or a failed one, an ageing token is tried to be replaced again.
    static let pause = Duration.seconds(10)
    /// WeChat makes no other token sooner, and at most 20 a day.
    static let forcePause = Duration.seconds(30)
    static let forcesPerDay = 20
    /// How long a failure answers for WeChat where no token works: thousands of messages at once shall not make as many calls.
    static let failurePause = Duration.seconds(1)

    private(set) var token: AccessToken?
    private var lastRefused: String?
    private var lastTry: Timestamp?
    private var forces: [Timestamp] = []
    private var failure: (what: WeChatFailure, until: Timestamp)?

    enum Need {
        case good(AccessToken)
        /// - spare: what still works if fetching fails.
        case fetch(spare: AccessToken?)
        case failed(WeChatFailure)
    }

    enum Next: Equatable {
        case good(AccessToken)
        case force
        /// WeChat gave the very token that it had refused, and would do so again before this has passed.
        case wait(Duration)
    }

    func need(at now: Timestamp) -> Need {
        guard let token, now < token.expires, token.obtained <= now else {
            if let failure, now < failure.until, failure.until <= now + Self.failurePause {
                return .failed(failure.what)
            }
            return .fetch(spare: nil)
        }
        if now < token.expires - Self.margin { return .good(token) }
        if let lastTry, lastTry <= now, now < lastTry + Self.pause { return .good(token) }
        return .fetch(spare: token)
    }

    /// A token came in. The first one after a refusal may be the refused one again.
    mutating func fetched(_ new: AccessToken, forced: Bool, at now: Timestamp) -> Next {
        lastTry = now
        if new.value != lastRefused {
            token = new
            failure = nil
            return .good(new)
        }
        if forced { return .wait(Self.forcePause) }
        forces.removeAll { $0 > now || $0 <= now - .days(1) }
        if let last = forces.last, now < last + Self.forcePause {
            return .wait(last + Self.forcePause - now)
        }
        if forces.count >= Self.forcesPerDay { return .wait(forces[0] + .days(1) - now) }
        forces.append(now)
        return .force
    }

    /// - Parameter failure: `nil` where it says nothing about WeChat: the caller was cancelled.
    mutating func failed(_ failure: WeChatFailure?, at now: Timestamp) {
        lastTry = now
        self.failure = failure.map { ($0, now + Self.failurePause) }
    }

    /// Forgets the token only if it is still the one that was refused: a late answer must not void its successor.
    mutating func refused(_ refused: AccessToken) {
        guard token?.value == refused.value else { return }
        token = nil
        lastRefused = refused.value
    }
}
