import BelfryActivation
import BelfryCore
import BelfryRecords

/// People as the API speaks of them.
enum PersonFields {
    static func json(_ person: PersonRecord, at now: Timestamp) -> JSONValue {
        [
            "account": .string(person.recipient.account),
            "person": .string(person.recipient.person),
            "subscribed": .bool(person.subscribed),
            "nickname": .text(person.nickname),
            "scene": .text(person.scene),
            "tags": .array(person.tags.map { .string($0) }),
            "attributes": .object(
                person.attributes.sorted { $0.key < $1.key }.map {
                    .init($0.key, .string($0.value))
                }
            ),
            "followed_at": .time(person.followedAt),
            "unsubscribed_at": .time(person.unsubscribedAt),
            "last_message_at": .time(person.lastMessageAt),
            "last_event_at": .time(person.lastEventAt),
            "permissions": permissions(person.grants, at: now),
            "created": .time(person.created),
            "updated": .time(person.updated),
        ]
    }

    static func permissions(_ grants: [Grant], at now: Timestamp) -> JSONValue {
        // A consent allows notifications of one template, not messages.
        let open = grants.filter { $0.isOpen(at: now) && !$0.isConsent }
        return [
            "may_send": .bool(!open.isEmpty),
            "until": .time(open.map(\.expires).max()),
            "grants": .array(grants.map { grant($0, at: now) }),
        ]
    }

    private static func grant(_ grant: Grant, at now: Timestamp) -> JSONValue {
        [
            "source": .string(grant.source),
            "granted": .time(grant.granted),
            "expires": .time(grant.isConsent ? nil : grant.expires),
            "quota": grant.quota.map { .count($0) } ?? .null,
            "used": .count(grant.used),
            "left": grant.quota.map { .count(max(0, $0 - grant.used)) } ?? .null,
            "open": .bool(grant.isOpen(at: now)),
            "rule": .string(grant.rule),
        ]
    }
}
