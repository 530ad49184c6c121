import BelfryCore

extension APISchemas {
    static let reminders: [JSONValue.Member] = [
        .init("TopicContent", topic(isWhole: true)),
        .init("TopicChanges", topic(isWhole: false)),
        .init(
            "TopicMerge",
            object(
                "How near reminders of one person become one: `newest` (the default) or `collect`; `message` is sent where several were collected.",
                "mode?: MergeMode",
                "grace: duration",
                "max_wait?: duration",
                "message?: any"
            )
        ),
        .init(
            "Topic",
            object(
                "Something that opens, and what people are told. `behind`: subscribed, and not yet moved to the newest time.",
                "topic: string",
                "state: TopicState",
                "account: string",
                "title: string",
                "opening: time",
                "lead: duration",
                "channel: string",
                "message: any",
                "merge: TopicMerge|null",
                "priority: Priority",
                "expires_after: string|null",
                "due: time",
                "expires: time|null",
                "revision: integer",
                "moving: boolean",
                "created: time",
                "updated: time",
                "behind?: integer",
                "counts?: ReminderCounts"
            )
        ),
        .init("TopicState", ["type": "string", "enum": ["open", "closed"]]),
        .init(
            "ReminderCounts",
            object(
                "How many stand where.",
                "subscribed: integer",
                "cancelled: integer",
                "sent: integer",
                "ended: integer"
            )
        ),
        .init(
            "TopicPage",
            object("A page, by key, without counts.", "items: Topic[]", "next_cursor: string|null")
        ),
        .init(
            "Reminder",
            object(
                "Where one person stands with one topic.",
                "topic: string",
                "account: string",
                "to: string",
                "state: ReminderState",
                "outcome: string|null",
                "due: time",
                "since: time",
                "updated: time",
                "push: string"
            )
        ),
        .init(
            "ReminderState",
            ["type": "string", "enum": ["subscribed", "cancelled", "sent", "ended"]]
        ),
        .init(
            "ReminderPage",
            object("A page.", "items: Reminder[]", "next_cursor: string|null")
        ),
        .init(
            "ReminderWish",
            object(
                "One line: `subscribe` (the default) or `cancel`.",
                "topic: string",
                "to: string",
                "action?: ReminderAct"
            )
        ),
        .init("ReminderAct", ["type": "string", "enum": ["subscribe", "cancel"]]),
        .init(
            "ReminderResult",
            object(
                "What became of it: `in_flight` may still be sent, `too_late` has opened or is closed. A line that is wrong has the status `error`.",
                "topic: string|null",
                "to: string|null",
                "status: ReminderStatus",
                "due?: time|null",
                "line?: integer",
                "code?: string",
                "pointer?: string",
                "detail?: string"
            )
        ),
        .init(
            "ReminderStatus",
            [
                "type": "string",
                "enum": [
                    "subscribed", "already", "too_late", "cancelled", "not_subscribed",
                    "already_sent", "in_flight", "error",
                ],
            ]
        ),
    ]

    private static func topic(isWhole: Bool) -> JSONValue {
        let needed = ["account: string", "opening: time", "channel: string"]
        return object(
            isWhole
                ? "A topic. `message` is a text or the channel's own form, with variables such as `{{title}}`; `expires_after` null: never."
                : "What is to change.",
            members: (isWhole ? needed : needed.map { $0.replacing(":", with: "?:") }) + [
                "title?: string", "lead?: duration", "message?: any", "merge?: TopicMerge|null",
                "priority?: Priority", "expires_after?: string|null",
            ]
        )
    }
}
