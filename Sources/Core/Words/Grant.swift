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
