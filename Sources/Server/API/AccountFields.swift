import BelfryChannels
import BelfryCore
import BelfryRecords

/// Accounts as the API speaks of them. Secrets go in and never come out: only whether they are there.
enum AccountFields {
    static func json(_ account: AccountRecord, publicURL: String) -> JSONValue {
        let base = account.publicURL ?? publicURL
        return [
            "key": .string(account.key),
            "kind": .string(account.kind.rawValue),
            "name": .string(account.name),
            "app_id": .string(account.appID),
            "original_id": .string(account.originalID),
            "mode": .string(account.mode.rawValue),
            "time_zone": .string(account.timeZone),
            "rules": rules(account.rules),
            "combine": .string(account.combine.rawValue),
            "base_url": .text(account.baseURL),
            "webhook_url": .text(account.webhookURL),
            "public_url": .text(account.publicURL),
            "callback_url": account.kind == .wechat
                ? .string("\(base)/wechat/\(account.key)/callback") : .null,
            "rate": account.rate.map { .count($0) } ?? .null,
            "concurrency": .count(account.concurrency),
            "daily_quota": account.dailyQuota.map { .count($0) } ?? .null,
            "unknown_policy": .string(account.unknownPolicy.rawValue),
            "quiet_hours": account.quietHours.flatMap { JSONValue.parse($0) } ?? .null,
            "paused": .text(account.paused),
            "secrets": [
                "secret": .bool(account.secret != nil),
                "token": .bool(account.token != nil),
                "encoding_aes_key": .bool(account.encodingAESKey != nil),
                "previous_encoding_aes_key": .bool(account.previousEncodingAESKey != nil),
                "webhook_secret": .bool(account.webhookSecret != nil),
            ],
            "created": .time(account.created),
            "updated": .time(account.updated),
        ]
    }

    /// Changes what the fields name, and leaves the rest; `null` empties what may be empty.
    ///
    /// - Parameter reachable: what webhooks may reach although it is not public.
    static func apply(
        _ fields: inout Fields,
        to account: inout AccountRecord,
        reachable: WebhookGuard.Allowed
    ) {
        texts(&fields, &account)
        webhook(&fields, &account, reachable)
        secrets(&fields, &account)
        choices(&fields, &account)
        numbers(&fields, &account)
        if fields.has("rules") { rules(&fields, &account) }
        if fields.has("quiet_hours") {
            account.quietHours =
                fields.object("quiet_hours") == nil
                ? nil : fields.value("quiet_hours")?.text
        }
    }

    private static func texts(_ fields: inout Fields, _ account: inout AccountRecord) {
        if let text = fields.optionalText("name", 0...TextLimits.name) { account.name = text }
        if let text = fields.optionalText("app_id", 0...TextLimits.name) { account.appID = text }
        if let text = fields.optionalText("original_id", 0...TextLimits.name) {
            account.originalID = text
        }
        if let text = fields.optionalText("time_zone", 1...TextLimits.name) {
            account.timeZone = text
        }
        let urls: [(String, WritableKeyPath<AccountRecord, String?>)] = [
            ("base_url", \.baseURL), ("public_url", \.publicURL),
        ]
        for (name, path) in urls where fields.has(name) {
            let url = fields.optionalText(name, 1...TextLimits.url)
            if let url, !Setting.Form.webAddress.isMet(url) {
                fields.note(name, "url", "must be \(Setting.Form.webAddress.allowed)")
            }
            account[keyPath: path] = url
        }
    }

    /// What would be refused when a push is due is refused now, as far as the address alone shows it.
    private static func webhook(
        _ fields: inout Fields,
        _ account: inout AccountRecord,
        _ reachable: WebhookGuard.Allowed
    ) {
        if fields.has("webhook_url") {
            account.webhookURL = fields.optionalText("webhook_url", 1...TextLimits.url)
            do { if let url = account.webhookURL { try reachable.judge(url) } } catch {
                fields.note(
                    "webhook_url",
                    "url",
                    "\(error.message); use the http or https address of a public host, or allow a "
                        + "private one with the server's setting webhook.allow"
                )
            }
        }
        if fields.has("webhook_secret") {
            let text = fields.optionalText("webhook_secret", 1...TextLimits.secret)
            if let text, WebhookSecret(text) == nil {
                fields.note(
                    "webhook_secret",
                    "secret",
                    "must be whsec_ and 24 to 64 bytes in base64 (Standard Webhooks)"
                )
            }
            account.webhookSecret = text.map { Secret($0) }
        }
    }

    private static func secrets(_ fields: inout Fields, _ account: inout AccountRecord) {
        let secrets: [(String, WritableKeyPath<AccountRecord, Secret?>)] = [
            ("secret", \.secret), ("token", \.token), ("encoding_aes_key", \.encodingAESKey),
            ("previous_encoding_aes_key", \.previousEncodingAESKey),
        ]
        for (name, path) in secrets where fields.has(name) {
            let text = fields.optionalText(name, 1...TextLimits.secret)
            if name.hasSuffix("aes_key"), let text, text.utf8.count != 43 {
                fields.note(name, "length", "is an EncodingAESKey, which has 43 characters")
            }
            account[keyPath: path] = text.map { Secret($0) }
        }
    }

    private static func choices(_ fields: inout Fields, _ account: inout AccountRecord) {
        if let mode = fields.choice("mode", AccountRecord.Mode.self) { account.mode = mode }
        if let combine = fields.choice("combine", AccountRecord.Combine.self) {
            account.combine = combine
        }
        if let policy = fields.choice("unknown_policy", AccountRecord.UnknownPolicy.self) {
            account.unknownPolicy = policy
        }
    }

    private static func numbers(_ fields: inout Fields, _ account: inout AccountRecord) {
        if fields.has("rate") {
            account.rate = fields.integer("rate", 1...1_000_000) ?? account.kind.usualRate
        }
        if let concurrency = fields.integer("concurrency", 1...10_000) {
            account.concurrency = concurrency
        }
        if fields.has("daily_quota") {
            account.dailyQuota = fields.integer("daily_quota", 0...1_000_000_000)
        }
    }

    private static func rules(_ fields: inout Fields, _ account: inout AccountRecord) {
        switch fields.value("rules") {
        case .string(let name): account.rules = .preset(name)
        case .some(let table) where table.members != nil: account.rules = .table(table.text)
        default: fields.note("rules", "type", "must be the name of a preset, or a table")
        }
    }

    private static func rules(_ rules: AccountRecord.Rules) -> JSONValue {
        switch rules {
        case .preset(let name): .string(name)
        case .table(let json): JSONValue.parse(json) ?? .null
        }
    }
}
