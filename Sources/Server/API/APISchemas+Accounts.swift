import BelfryCore

/// Accounts and keys.
extension APISchemas {
    static let accounts: [JSONValue.Member] = [
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
}
