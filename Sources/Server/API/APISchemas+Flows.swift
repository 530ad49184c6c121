import BelfryCore

/// Flows, their versions, and what they would do.
extension APISchemas {
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
