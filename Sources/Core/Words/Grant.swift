/// Permission to send a person so many messages until a moment: what one inbound action opened.
package struct Grant: Sendable, Hashable, Codable {
    /// What opened it: `message`, `menu`, `follow`, `scan`, `payment`, `consent:<template>`, `unlimited`.
    package var source: String
    /// The action's own time (CreateTime of the event), not the time of arrival.
    package var granted: Timestamp
    package var expires: Timestamp
    /// How many messages it allows; `nil`: any number.
    package var quota: Int?
    package var used: Int
    /// Which edition of the rules granted it, such as `wechat-2023`.
    package var rule: String

    package init(
        source: String,
        granted: Timestamp,
        expires: Timestamp,
        quota: Int?,
        used: Int = 0,
        rule: String
    ) {
        self.source = source
        self.granted = granted
        self.expires = expires
        self.quota = quota
        self.used = used
        self.rule = rule
    }

    package func isOpen(at time: Timestamp) -> Bool {
        granted <= time && time < expires && (quota.map { used < $0 } ?? true)
    }
}

/// Names a grant of a person: what opened it, and when.
package struct GrantKey: Sendable, Hashable, Codable {
    package var source: String
    package var granted: Timestamp

    package init(source: String, granted: Timestamp) {
        self.source = source
        self.granted = granted
    }
}

extension Grant {
    package var key: GrantKey { GrantKey(source: source, granted: granted) }
}

/// One message that was taken from grants.
package struct GrantUse: Sendable, Hashable, Codable {
    /// When it was taken; no two uses of a person's windows have the same time, so that it names the use. Uses of consents have none.
    package var time: Timestamp
    /// The grants that it counts against; empty under rules without limit.
    package var taken: [GrantKey]
    /// When the first of them ended, as far as was known: it may be gone by the time somebody asks.
    package var ends: Timestamp

    package init(time: Timestamp, taken: [GrantKey], ends: Timestamp = .distantFuture) {
        self.time = time
        self.taken = taken
        self.ends = ends
    }
}
