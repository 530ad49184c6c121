import BelfryCore

/// The shapes of what goes in and out, as JSON Schema for the OpenAPI document.
enum APISchemas {
    static func reference(_ name: String) -> JSONValue {
        ["$ref": .string("#/components/schemas/\(name)")]
    }

    static func scalar(_ kind: String) -> JSONValue {
        switch kind {
        case "time": ["type": "string", "format": "date-time"]
        case "duration":
            ["type": "string", "examples": ["90s", "PT1M30S"]]
        case "integer": ["type": "integer"]
        case "boolean": ["type": "boolean"]
        case "state": states
        default: ["type": "string"]
        }
    }

    /// `"name: kind"` pairs; a `?` behind the name makes it optional, `[]` behind the kind an array, a capital a reference.
    static func object(_ description: String, _ members: String...) -> JSONValue {
        object(description, members: members)
    }

    static func object(_ description: String, members: [String]) -> JSONValue {
        var properties: [JSONValue.Member] = []
        var required: [JSONValue] = []
        for member in members {
            let parts = member.split(separator: ":", maxSplits: 1).map(String.init)
            var name = parts[0]
            if name.hasSuffix("?") { name.removeLast() } else { required.append(.string(name)) }
            properties.append(.init(name, type(parts[1].drop { $0 == " " })))
        }
        let schema: JSONValue = [
            "type": "object", "description": .string(description),
            "properties": .object(properties),
            "required": required.isEmpty ? .null : .array(required),
        ]
        return schema.withoutNulls
    }

    private static func type(_ kind: Substring) -> JSONValue {
        if kind.hasSuffix("[]") { return ["type": "array", "items": type(kind.dropLast(2))] }
        if kind.hasSuffix("|null") {
            let inner = type(kind.dropLast(5))
            return inner["$ref"] == nil
                ? nullable(inner) : ["anyOf": [inner, ["type": "null"]]]
        }
        if kind == "any" { return [:] }
        if kind == "object" { return ["type": "object"] }
        if kind.first?.isUppercase == true { return reference(String(kind)) }
        return scalar(String(kind))
    }

    private static func nullable(_ schema: JSONValue) -> JSONValue {
        guard case .object(var members) = schema,
            let index = members.firstIndex(where: { $0.name == "type" })
        else { return schema }
        members[index].value = [members[index].value, "null"]
        return .object(members)
    }

    static var all: [JSONValue.Member] {
        common + pushes + records + reminders + flows + accounts + places + configuration
    }

    private static let common: [JSONValue.Member] = [
        .init(
            "Problem",
            object(
                "RFC 9457. `code` is for programs.",
                "type: string",
                "title: string",
                "status: integer",
                "detail: string",
                "instance: string",
                "code: string",
                "request_id: string",
                "errors?: FieldProblem[]"
            )
        ),
        .init(
            "FieldProblem",
            object(
                "One wrong field. The pointer is RFC 6901, or `?name` for a parameter.",
                "pointer: string",
                "code: string",
                "detail: string"
            )
        ),
        .init("Text", ["type": "string"]),
        .init("Document", ["type": "object"]),
        .init("Done", object("It was done.", "status: string")),
        .init("Health", object("The process answers.", "status: string")),
        .init(
            "Readiness",
            object(
                "What can be used, whether low priorities are deferred because capacity is short, and whether pushes are being moved to another timeline: neither is a reason to be taken out of service.",
                "status: string",
                "checks: ReadinessCheck[]",
                "overload: boolean",
                "moving: boolean"
            )
        ),
        .init(
            "ReadinessCheck",
            object("One thing.", "name: string", "ok: boolean", "vital: boolean")
        ),
    ]

    private static let states: JSONValue = [
        "type": "string",
        "enum": [
            "sent", "merged", "replaced", "cancelled", "unsubscribed", "skipped_condition",
            "skipped_cap", "no_grant", "window_45015", "count_45047", "refused_43101",
            "quota_day", "expired", "dead", "unknown", "scheduled", "held_quiet", "held_rate",
            "held_window", "held_paused", "retrying", "in_flight",
        ],
    ]

    private static let pushes: [JSONValue.Member] = [
        .init(
            "Push",
            object(
                "One message to one person at one time. Give `due` or `delay`; a past time is due now.",
                "id: string",
                "account: string",
                "to: string",
                "due?: time",
                "delay?: duration",
                "channel: string",
                "priority?: Priority",
                "expires?: time",
                "merge?: Merge",
                "payload: any"
            )
        ),
        .init("Priority", ["type": "string", "enum": ["urgent", "high", "normal", "low"]]),
        .init(
            "Merge",
            object(
                "Pushes of one person with the same key become one.",
                "key: string",
                "grace?: duration",
                "max_wait?: duration",
                "mode?: MergeMode"
            )
        ),
        .init("MergeMode", ["type": "string", "enum": ["newest", "collect"]]),
        .init(
            "PushResult",
            object(
                "What became of a push. `error` comes with code, pointer and detail.",
                "id: string|null",
                "status: PushStatus",
                "due?: time",
                "line?: integer",
                "code?: string",
                "pointer?: string",
                "detail?: string"
            )
        ),
        .init(
            "PushStatus",
            [
                "type": "string",
                "enum": ["accepted", "replaced", "parked", "merged", "error"],
            ]
        ),
        .init(
            "PendingPush",
            object(
                "A push that has not ended. With the state `damaged` only id, account and due time are known.",
                "id: string",
                "account: string",
                "to: string",
                "due: time",
                "expires?: time",
                "channel: string",
                "priority: Priority",
                "merge?: Merge",
                "payload: any",
                "state: string",
                "attempt: integer",
                "accepted: time",
                "sequence: string",
                "deferred?: Deferred",
                "held?: Held"
            )
        ),
        .init(
            "Held",
            object(
                "What put off a push that waits for a later time than was asked for, as the history tells it.",
                "state: string",
                "code: string",
                "message: string",
                "remedy: string",
                "since: time",
                "until: time"
            )
        ),
        .init(
            "Deferred",
            object(
                "Why a push that is due waits although nothing holds it: capacity is short.",
                "code: string",
                "message: string",
                "until: time"
            )
        ),
        .init("PushIDs", object("Ids of pushes, at most 10,000.", "ids: string[]")),
        .init(
            "CancelResult",
            object("`in_flight` may still be sent.", "id: string", "status: CancelStatus")
        ),
        .init(
            "CancelStatus",
            ["type": "string", "enum": ["cancelled", "in_flight", "gone"]]
        ),
        .init(
            "CancelResults",
            object(
                "Counts, and a result for each id.",
                "cancelled: integer",
                "in_flight: integer",
                "gone: integer",
                "results: CancelResult[]"
            )
        ),
        .init(
            "Stats",
            object(
                "What delivery is doing.",
                "at: time",
                "scheduled: integer",
                "in_flight: integer",
                "damaged: integer",
                "due_now: integer",
                "lateness_ms: Lateness",
                "held_ms: Lateness",
                "oldest_overdue_ms: integer|null",
                "oldest_held_ms: object",
                "sent_last_minute: integer",
                "send_limit_per_minute: integer|null",
                "failed_last_hour: integer",
                "outcomes: object",
                "overload: object|null",
                "circuits: Circuit[]"
            )
        ),
        .init(
            "Circuit",
            object(
                "A webhook, broker, stream or account's API that is out of order: nothing is sent there until a message that tries it is answered, not before `probe_after`. `endpoint` is an account, or the key of a stream; empty where the channel has one for all.",
                "channel: string",
                "endpoint: string",
                "since: time",
                "probe_after: time",
                "reason: Reason"
            )
        ),
        .init(
            "Lateness",
            object(
                "Of what was sent in the last five to ten minutes: from when it was to go out until the try that succeeded, or how much of that holds and retries took; in milliseconds.",
                "p50: integer|null",
                "p95: integer|null",
                "p99: integer|null"
            )
        ),
        .init(
            "Forecast",
            object(
                "How many pushes are due in each bucket.",
                "from: time",
                "to: time",
                "bucket: duration",
                "counts: integer[]"
            )
        ),
    ]
}
