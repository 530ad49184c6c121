package import BelfryCore

/// What an account knows of one person.
package struct PersonRecord: Sendable, Hashable {
    package var recipient: Recipient
    package var subscribed = true
    /// CreateTime of the newest subscribe or unsubscribe that counted; `nil`: we never saw one.
    package var subscriptionAt: Timestamp?
    package var followedAt: Timestamp?
    package var unsubscribedAt: Timestamp?
    /// The scene of the newest follow through a QR code.
    package var scene: String?
    package var nickname: String?
    package var tags: [String] = []
    package var attributes: [String: String] = [:]
    /// When the person last wrote, by CreateTime.
    package var lastMessageAt: Timestamp?
    package var lastEventAt: Timestamp?
    /// The permission ledger: what may still be sent.
    package var grants: [Grant] = []
    /// The newest messages that were taken from ``grants``, oldest first.
    package var uses: [GrantUse] = []
    package var created: Timestamp
    package var updated: Timestamp

    package init(recipient: Recipient, created: Timestamp) {
        self.recipient = recipient
        self.created = created
        updated = created
    }
}

/// What an inbound callback says about a person's relation to the account.
package enum PersonChange: Sendable, Hashable {
    case followed(scene: String?)
    case unsubscribed
    /// A message typed or sent by the person.
    case wrote
    /// Anything else: a menu click, a scan, a consent.
    case acted
}

extension PersonRecord {
    /// Brings the person up to an event that happened at `time` (its CreateTime).
    ///
    /// Callbacks arrive out of order: a subscribe or unsubscribe older than one that counted changes nothing, so that the newest wins
    /// whatever the order of arrival; with equal times (their resolution is a second) the later arrival wins.
    ///
    /// - Returns: whether the event counted.
    package mutating func apply(_ change: PersonChange, at time: Timestamp) -> Bool {
        if let lastEventAt { self.lastEventAt = max(lastEventAt, time) } else { lastEventAt = time }
        switch change {
        case .followed(let scene):
            guard isNewest(time) else { return false }
            subscribed = true
            subscriptionAt = time
            followedAt = time
            // Cut rather than refused: a follow must not be lost for its scene.
            self.scene = scene?.cut(to: TextLimits.label)
            return true
        case .unsubscribed:
            guard isNewest(time) else { return false }
            subscribed = false
            subscriptionAt = time
            unsubscribedAt = time
            return true
        case .wrote:
            lastMessageAt = max(lastMessageAt ?? time, time)
            return true
        case .acted: return true
        }
    }

    private func isNewest(_ time: Timestamp) -> Bool {
        subscriptionAt.map { $0 <= time } ?? true
    }

    func validate() throws(RecordsError) {
        try check(recipient)
        try check(scene, "scene", 0...TextLimits.label)
        try check(nickname, "nickname", 0...TextLimits.label)
        guard tags.count <= 100 else { throw RecordsError(.invalid, "tags: at most 100 allowed") }
        for tag in tags { try check(tag, "tags", 1...TextLimits.name) }
        for (name, value) in attributes {
            try check(name, "attributes", 1...TextLimits.name)
            try check(value, "attributes.\(name)", 0...TextLimits.sentence)
        }
        guard attributes.count <= 100 else {
            throw RecordsError(.invalid, "attributes: at most 100 allowed")
        }
        guard grants.count <= GrantCode.limit else {
            throw RecordsError(.invalid, "grants: at most \(GrantCode.limit) allowed")
        }
        guard uses.count <= GrantCode.limit else {
            throw RecordsError(.invalid, "uses: at most \(GrantCode.limit) allowed")
        }
        for grant in grants {
            try check(grant.source, "grant.source", 1...TextLimits.name)
            try check(grant.rule, "grant.rule", 0...TextLimits.name)
        }
    }
}
