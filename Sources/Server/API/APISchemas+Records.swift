import BelfryCore

/// What became of pushes, and of whom.
extension APISchemas {
    static let records: [JSONValue.Member] = [
        .init(
            "Delivery",
            object(
                "One line in the history of a push.",
                "id: string",
                "push: string",
                "sequence: string",
                "attempt: integer",
                "account: string",
                "to: string",
                "flow: string|null",
                "step: string|null",
                "channel: string",
                "asked: time",
                "due: time",
                "at: time",
                "state: state",
                "reason: Reason|null",
                "lateness_ms: integer|null",
                "held_ms: integer",
                "held_for: string|null",
                "reference: string|null"
            )
        ),
        .init(
            "Reason",
            object(
                "Why, and what a person can do about it.",
                "code: string",
                "message: string",
                "remedy: string"
            )
        ),
        .init(
            "DeliveryPage",
            object("A page, newest first.", "items: Delivery[]", "next_cursor: string|null")
        ),
        .init(
            "Person",
            object(
                "What an account knows of one person.",
                "account: string",
                "person: string",
                "subscribed: boolean",
                "nickname: string|null",
                "scene: string|null",
                "tags: string[]",
                "attributes: object",
                "followed_at: time|null",
                "unsubscribed_at: time|null",
                "last_message_at: time|null",
                "last_event_at: time|null",
                "permissions: Permissions",
                "created: time",
                "updated: time"
            )
        ),
        .init(
            "PersonPage",
            object("A page, by id.", "items: Person[]", "next_cursor: string|null")
        ),
        .init(
            "PersonTimeline",
            object(
                "What is planned, and what happened.",
                "planned: PendingPush[]",
                "items: Delivery[]",
                "next_cursor: string|null"
            )
        ),
        .init(
            "Permissions",
            object(
                "The permission ledger.",
                "may_send: boolean",
                "until: time|null",
                "grants: Grant[]"
            )
        ),
        .init(
            "Grant",
            object(
                "What one action of the person opened. `quota` null: any number; `expires` null: a consent (`source` is `consent:` and the template), which does not end by time.",
                "source: string",
                "granted: time",
                "expires: time|null",
                "quota: integer|null",
                "used: integer",
                "left: integer|null",
                "open: boolean",
                "rule: string"
            )
        ),
        .init("Tags", object("All tags of a person.", "tags: string[]")),
        .init(
            "Erased",
            object("What went.", "cancelled: integer", "in_flight: integer", "rows: integer")
        ),
        .init(
            "Event",
            object(
                "Something that happened to a person; `flow` starts a flow with an api trigger.",
                "account: string",
                "to: string",
                "event?: string",
                "flow?: string",
                "at?: time",
                "variables?: object"
            )
        ),
        .init(
            "EventResult",
            object("What it led to.", "pushes: string[]", "refusal: string|null")
        ),
        .init(
            "DeadLetter",
            object(
                "A push that was given up.",
                "id: string",
                "push: PushContent",
                "sequence: string",
                "attempts: integer",
                "at: time",
                "reason: Reason",
                "state: string",
                "ended: time|null"
            )
        ),
        .init(
            "PushContent",
            object(
                "The push as it was.",
                "id: string",
                "account: string",
                "to: string",
                "due: time",
                "expires?: time",
                "channel: string",
                "priority: Priority",
                "merge?: Merge",
                "payload: any"
            )
        ),
        .init(
            "DeadLetterPage",
            object("A page, newest first.", "items: DeadLetter[]", "next_cursor: string|null")
        ),
        .init("DeadLetterGroups", object("By cause.", "groups: DeadLetterGroup[]")),
        .init(
            "DeadLetterGroup",
            object(
                "The open dead letters of one cause.",
                "code: string",
                "count: integer",
                "oldest: time",
                "newest: time",
                "reason: Reason"
            )
        ),
        .init(
            "DeadLetterSelection",
            object(
                "Which dead letters: ids, or all open ones of an account and a cause.",
                "ids?: string[]",
                "account?: string",
                "code?: string",
                "limit?: integer",
                "dry_run?: boolean"
            )
        ),
        .init(
            "DeadLetterResult",
            object(
                "What was done, or would be.",
                "dry_run: boolean",
                "matched: integer",
                "retried: integer",
                "expired: integer",
                "failed: integer",
                "more: boolean"
            )
        ),
        .init(
            "DiscardResult",
            object("What was done, or would be.", "dry_run: boolean", "discarded: integer")
        ),
    ]
}
