import BelfryActivation
import BelfryCore
import BelfryRecords

extension FlowPerson {
    /// What flows need to know, from what is recorded.
    init(_ record: PersonRecord) {
        var variables = record.attributes
        var events: [String: Timestamp] = [:]
        for (name, value) in record.attributes {
            guard let event = PersonRecord.eventName(name) else { continue }
            variables[name] = nil
            events[event] = Int64(value).map { Timestamp(milliseconds: $0) }
        }
        variables["nickname"] = record.nickname
        self.init(
            id: record.recipient.person,
            isFollowing: record.subscribed,
            tags: Set(record.tags),
            scene: record.scene,
            lastWrote: record.lastMessageAt,
            lastClicked: events.removeValue(forKey: PersonRecord.click),
            events: events,
            variables: variables
        )
    }
}

extension PersonRecord {
    /// The name under which a followed link is noted: no event that a business server reports has a blank at its end.
    static let click = "click "
    private static let eventPrefix = "event."

    /// Notes that something happened to the person, for conditions and goals of flows.
    mutating func note(event name: String, at time: Timestamp) {
        attributes[Self.eventPrefix + name] = String(time.milliseconds)
    }

    /// The event that an attribute notes; `nil` for other attributes.
    static func eventName(_ attribute: String) -> String? {
        attribute.hasPrefix(eventPrefix) ? String(attribute.dropFirst(eventPrefix.count)) : nil
    }
}

extension PermissionLedger {
    init(_ person: PersonRecord?, rules: PermissionRules) {
        self.init(
            rules: rules,
            grants: person?.grants ?? [],
            unfollowed: person.flatMap { $0.subscribed ? nil : $0.unsubscribedAt },
            uses: person?.uses ?? []
        )
    }
}

extension Ledger {
    /// Puts back what was read with ``PermissionLedger/init(_:rules:)``.
    mutating func set(_ permission: PermissionLedger, of recipient: Recipient) {
        self[grants: recipient] = permission.grants
        self[uses: recipient] = permission.uses
    }
}

extension FlowPosition {
    /// Where the person of a flow's push is; `nil` for pushes that are no flow's.
    init?(_ push: Push) {
        guard push.id.isOfFlow else { return nil }
        // A payload that cannot be read is found by the gate, which ends the push as dead with the reason.
        try? self.init(payload: push.payload)
    }
}

extension PushID {
    /// Whether a flow planned it: callers of the API may not choose such ids.
    package var isOfFlow: Bool { text.hasPrefix("flow/") }
}
