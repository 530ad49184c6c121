import BelfryCore

/// What is set, at the start and while running.
extension APISchemas {
    static let configuration: [JSONValue.Member] = [
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
}
