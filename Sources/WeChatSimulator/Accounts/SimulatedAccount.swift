/// Everything WeChat knows about one account.
struct SimulatedAccount: Sendable {
    /// Stands at the front of every token, so that a token finds its account.
    let number: Int
    var settings: AccountSettings
    var followers: [String: Follower] = [:]
    var tokens = AccessTokens()
    var budget = CallBudget()
    var media = MediaShelf()
    var scenes = SceneCodes()
    /// Callbacks that wait to be released.
    var held: [Callback] = []
    var disorder = CallbackDisorder()
    /// What is still to be told about template messages and notifications.
    var reports: [NoticeReport] = []
    /// Above 2^53: whoever reads a MsgId as a floating-point number loses digits. It begins alike in every account, so
    /// that ids collide between accounts, as they have been seen to.
    private var nextMessageID: Int64 = 24_500_000_000_000_001

    /// Another row of ids, above 2^53 too.
    private var nextNoticeID: Int64 = 3_900_000_000_000_000_001

    init(number: Int, settings: AccountSettings) {
        self.number = number
        self.settings = settings
    }

    mutating func newNoticeID() -> Int64 {
        defer { nextNoticeID += 1 }
        return nextNoticeID
    }

    /// Carries out what a person does, and says what to push about it.
    ///
    /// - Parameter now: milliseconds since 1970.
    mutating func act(_ interaction: Interaction, by openID: String, at now: Int64) -> Callback {
        let createTime = now / 1000
        var follower = followers[openID] ?? Follower()
        switch interaction.effect {
        case .none: break
        case .follow(let scene): follower.follow(at: createTime, scene: scene)
        case .unfollow: follower.unfollow()
        case .consent(let templateIDs): follower.consent(to: templateIDs)
        case .withdraw(let templateIDs): follower.withdraw(templateIDs)
        }
        if interaction.effect != .unfollow { follower.lastAction = now }
        if let action = interaction.action, let rule = settings.windows.rules[action],
            follower.subscribed
        {
            follower.windows.open(
                action,
                rule,
                createTime: createTime,
                settings.combination
            )
        }
        followers[openID] = follower
        var messageID: Int64?
        if !interaction.isEvent {
            messageID = nextMessageID
            nextMessageID += 1
        }
        return Callback(
            settings,
            openID: openID,
            createTime: createTime,
            messageID: messageID,
            interaction
        )
    }
}

/// How the pushes of an account go wrong on purpose, even when they are answered.
package struct CallbackDisorder: Sendable, Hashable {
    /// The probability that a callback is pushed once more after it was answered.
    package var duplicates: Double
    /// The probability that a callback is kept back and pushed after the next one of the account.
    package var swaps: Double
    /// Everything is kept back until it is released.
    package var holdsAll: Bool

    package init(duplicates: Double = 0, swaps: Double = 0, holdsAll: Bool = false) {
        self.duplicates = duplicates
        self.swaps = swaps
        self.holdsAll = holdsAll
    }
}
