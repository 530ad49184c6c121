import BelfryCore

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

    static let administration: [JSONValue.Member] = [
        .init("AccountList", object("All accounts.", "items: Account[]")),
        .init(
            "Account",
            object(
                "A sender. Of its secrets only whether they are there.",
                "key: string",
                "kind: string",
                "name: string",
                "app_id: string",
                "original_id: string",
                "mode: string",
                "time_zone: string",
                "rules: any",
                "combine: string",
                "base_url: string|null",
                "webhook_url: string|null",
                "public_url: string|null",
                "callback_url: string|null",
                "rate: integer|null",
                "concurrency: integer",
                "daily_quota: integer|null",
                "unknown_policy: string",
                "quiet_hours: any",
                "paused: string|null",
                "secrets: object",
                "created: time",
                "updated: time",
                "circuits: Circuit[]"
            )
        ),
        .init("NewAccount", account(isNew: true)),
        .init("AccountChanges", account(isNew: false)),
        .init("Pause", object("Why.", "reason?: string")),
        .init("NewBackup", object("Where a copy is to be written.", "destination: string")),
        .init(
            "Backup",
            object(
                "A copy, and what it does not contain that a server also needs.",
                "destination: string",
                "bytes: integer",
                "contains: string[]",
                "lacks: string[]",
                "damaged: DamagedBlock[]"
            )
        ),
        .init(
            "DamagedBlock",
            object(
                "A damaged part of the timeline: its pushes are set aside, and damaged in the copy, too.",
                "file: string",
                "offset: integer",
                "bytes: integer",
                "pushes: integer"
            )
        ),
        .init(
            "RecordsMove",
            object(
                "Where the records are to go: sqlite (the data folder's own file) or an address of PostgreSQL.",
                "to: string"
            )
        ),
        .init(
            "RecordsPlace",
            object(
                "Where the records lie, without a password, and how a move stands: none, moving, moved or failed.",
                "place: string",
                "move: string",
                "to: string|null",
                "step: string|null",
                "rows: object",
                "changes: integer|null",
                "held_ms: integer|null",
                "error: string|null"
            )
        ),
        .init("KeyList", object("All keys.", "items: Key[]")),
        .init(
            "Key",
            object(
                "An API key, without the key itself.",
                "id: string",
                "name: string",
                "scopes: string[]",
                "created: time",
                "expires: time|null",
                "revoked: time|null",
                "last_used: time|null"
            )
        ),
        .init(
            "NewKey",
            object("A key to be made.", "name: string", "scopes: string[]", "expires?: time")
        ),
        .init(
            "CreatedKey",
            object(
                "`key` is shown this once.",
                "id: string",
                "name: string",
                "scopes: string[]",
                "key: string"
            )
        ),
        .init(
            "Configuration",
            object(
                "Every setting of the start; what is set while running, and which revision each node has applied; what can be set.",
                "settings: Setting[]",
                "live: ConfigurationRevision",
                "nodes: ConfigurationNode[]",
                "keys: ConfigurationKey[]"
            )
        ),
        .init(
            "TimelineState",
            object(
                "Where pending pushes are. Phase: single, or joining, moving, leaving, closing while they are being moved.",
                "phase: string",
                "epoch: integer",
                "back: boolean",
                "from: TimelinePlace",
                "to: TimelinePlace|null",
                "left: integer",
                "left_in_flight: integer",
                "arrived: integer|null",
                "moved: integer",
                "problem: string|null",
                "nodes: TimelineNode[]"
            )
        ),
        .init(
            "TimelinePlace",
            object(
                "The data folder (embedded), shards on Redis, or a schema of PostgreSQL.",
                "kind: string",
                "url: string",
                "prefix: string",
                "shards: integer"
            )
        ),
        .init(
            "TimelineNode",
            object(
                "A server over the same records, and the newest arrangement that it works by.",
                "node: string",
                "epoch: integer",
                "alive: boolean",
                "leads: boolean"
            )
        ),
        .init(
            "TimelineMove",
            object(
                "Where to: an address, an empty one for the data folder; without it, the same Redis in other shards.",
                "to?: string",
                "shards?: integer"
            )
        ),
        .init(
            "ConfigurationRevision",
            object(
                "What is set while running. Revision 0: nothing ever was.",
                "revision: integer",
                "at: time|null",
                "who: string|null",
                "values: object"
            )
        ),
        .init(
            "ConfigurationNode",
            object(
                "A server over these records: what it has applied, when it last said that it is there, and how many shards of a timeline on Redis are its own.",
                "node: string",
                "revision: integer",
                "at: time",
                "seen: time",
                "alive: boolean",
                "shards: integer|null"
            )
        ),
        .init(
            "ConfigurationKey",
            object("What can be set.", "key: string", "allowed: string", "meaning: string")
        ),
        .init(
            "ConfigurationChange",
            object(
                "Keys and their new values; null clears. With a revision, only if that is the newest.",
                "values: object",
                "revision?: integer"
            )
        ),
        .init(
            "ConfigurationRollback",
            object(
                "A revision to go back to; 0: nothing set. With a revision, only if that is the newest.",
                "to: integer",
                "revision?: integer"
            )
        ),
        .init(
            "ConfigurationHistory",
            object("Revisions, newest first.", "items: ConfigurationHistoryItem[]")
        ),
        .init(
            "ConfigurationHistoryItem",
            object(
                "One revision, and what it changed.",
                "revision: integer",
                "at: time",
                "who: string",
                "changes: ConfigurationDifference[]"
            )
        ),
        .init(
            "ConfigurationDifference",
            object(
                "null: not set.",
                "key: string",
                "old: string|null",
                "new: string|null"
            )
        ),
        .init(
            "Setting",
            object(
                "One setting; secrets are redacted.",
                "key: string",
                "value: string",
                "origin: string",
                "meaning: string"
            )
        ),
    ]

    private static func account(isNew: Bool) -> JSONValue {
        let members = [
            "name?: string", "app_id?: string", "original_id?: string", "mode?: string",
            "secret?: string|null", "token?: string|null", "encoding_aes_key?: string|null",
            "previous_encoding_aes_key?: string|null", "webhook_secret?: string|null",
            "time_zone?: string", "rules?: any", "combine?: string", "base_url?: string|null",
            "webhook_url?: string|null", "public_url?: string|null", "rate?: integer|null",
            "concurrency?: integer", "daily_quota?: integer|null", "unknown_policy?: string",
            "quiet_hours?: any",
        ]
        return object(
            isNew ? "An account to be added." : "What is to change; secrets are write-only.",
            members: (isNew ? ["key: string", "kind?: string"] : []) + members
        )
    }

    static let flows: [JSONValue.Member] = [
        .init("FlowList", object("Flows.", "items: Flow[]")),
        .init(
            "Flow",
            object(
                "A flow, whatever its versions.",
                "account: string",
                "flow: string",
                "state: string",
                "newest: integer",
                "published: integer|null",
                "updated: time",
                "yaml?: string|null"
            )
        ),
        .init("FlowVersions", object("Versions, newest first.", "items: FlowVersion[]")),
        .init(
            "FlowVersion",
            object(
                "One version; its text never changes.",
                "version: integer",
                "yaml: string",
                "policy: string",
                "note: string",
                "created: time",
                "published_at: time|null",
                "published_by: string|null"
            )
        ),
        .init(
            "FlowSource",
            object("A flow as YAML.", "yaml: string")
        ),
        .init(
            "FlowCheck",
            object(
                "What is wrong, and what each step can reach.",
                "ok: boolean",
                "problems: FlowProblem[]",
                "steps: object[]"
            )
        ),
        .init(
            "FlowProblem",
            object("One mistake.", "line: integer|null", "column: integer|null", "message: string")
        ),
        .init(
            "FlowPublication",
            object(
                "A flow to be published.",
                "yaml: string",
                "policy?: string",
                "note?: string",
                "dry_run?: boolean"
            )
        ),
        .init(
            "PublishResult",
            object(
                "Whom it touches.",
                "dry_run: boolean",
                "version: integer|null",
                "policy: string",
                "inside: integer",
                "staying: integer",
                "moving: integer",
                "leaving: integer",
                "past_due: integer",
                "notes: string[]"
            )
        ),
        .init("FlowStateChange", object("A new state.", "state: string")),
        .init(
            "FlowSimulation",
            object("What happens to an imagined person.", "yaml?: string", "acts: string[]")
        ),
        .init("FlowTrace", object("What would be sent, and why.", "entries: object[]")),
        .init(
            "FlowComparison",
            object("What differs.", "yaml?: string", "from?: integer", "to?: integer")
        ),
        .init("FlowDiff", object("What differs.", "changes: object[]")),
    ]
}
