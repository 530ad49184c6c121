package import BelfryCore

/// One sender that Belfry speaks for: a WeChat Official Account, or the target of webhooks.
package struct AccountRecord: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        case wechat
        case webhook

        /// The rate of an account that names none. WeChat counts an account's calls, so that a burst has to be spread; whoever
        /// receives webhooks answers 429 when it is too much.
        package var usualRate: Int? {
            switch self {
            case .wechat: 50
            case .webhook: nil
            }
        }
    }

    /// How WeChat sends callbacks: plain text, both, or encrypted alone.
    package enum Mode: String, Sendable, Hashable, CaseIterable {
        case plain
        case compat
        case safe
    }

    /// Which permission rules hold.
    package enum Rules: Sendable, Hashable {
        /// The name of a preset, such as `wechat-2023`.
        case preset(String)
        /// The account's own table, as JSON.
        case table(String)
    }

    /// How a new grant and an older one of the same source become one.
    package enum Combine: String, Sendable, Hashable, CaseIterable {
        case refresh
        case add
        case separate
    }

    /// What to do when a call ended without an answer after the message may have been accepted.
    package enum UnknownPolicy: String, Sendable, Hashable, CaseIterable {
        case assumeSent = "assume-sent"
        case retryOnce = "retry-once"
    }

    /// 1 to 128 of `A-Z a-z 0-9 . _ -`: it stands in URLs and push ids.
    package var key: String
    package var kind: Kind
    /// For people; may be empty.
    package var name: String = ""
    package var appID: String = ""
    /// The `gh_…` name that callbacks are addressed to, others are refused; empty: not checked.
    package var originalID: String = ""
    package var mode: Mode = .safe
    package var secret: Secret?
    package var token: Secret?
    package var encodingAESKey: Secret?
    /// Still accepted while a new key is being rolled out.
    package var previousEncodingAESKey: Secret?
    package var webhookSecret: Secret?
    /// An IANA name.
    package var timeZone: String = "Asia/Shanghai"
    package var rules: Rules
    package var combine: Combine = .separate
    /// Where the WeChat API is, when not at its usual place.
    package var baseURL: String?
    package var webhookURL: String?
    /// Where people's browsers find this server: the base of tracked links.
    package var publicURL: String?
    /// Messages per second, at least 1; `nil`: as many as the channel takes.
    package var rate: Int?
    /// Calls in flight at once, at least 1.
    package var concurrency: Int = 16
    /// Messages per local day; `nil`: unlimited.
    package var dailyQuota: Int?
    package var unknownPolicy: UnknownPolicy = .assumeSent
    /// Why nothing is sent at present; `nil`: it is.
    package var paused: String?
    /// Quiet hours as JSON.
    package var quietHours: String?
    /// Set by the records.
    package var created = Timestamp(milliseconds: 0)
    package var updated = Timestamp(milliseconds: 0)

    package init(key: String, kind: Kind) {
        self.key = key
        self.kind = kind
        rules = .preset(kind == .wechat ? "wechat-2023" : "unlimited")
        rate = kind.usualRate
    }
}

extension AccountRecord {
    /// - Throws: `invalid` naming the field.
    package func validate() throws(RecordsError) {
        try BelfryRecords.check(key, "key", 1...PushLimits.accountBytes)
        // It names a folder for media, too.
        guard key.utf8.allSatisfy(Self.isPlain), !key.utf8.starts(with: ".".utf8) else {
            throw RecordsError(
                .invalid,
                "key: may hold A-Z a-z 0-9 . _ - only, and not begin with a dot"
            )
        }
        try BelfryRecords.check(name, "name", 0...TextLimits.name)
        try BelfryRecords.check(appID, "app_id", 0...TextLimits.name)
        try BelfryRecords.check(originalID, "original_id", 0...TextLimits.name)
        try BelfryRecords.check(timeZone, "time_zone", 1...TextLimits.name)
        switch rules {
        case .preset(let name): try BelfryRecords.check(name, "rules", 1...TextLimits.name)
        case .table(let json): try BelfryRecords.check(json, "rules", 2...TextLimits.document)
        }
        try BelfryRecords.check(baseURL, "base_url", 1...TextLimits.url)
        try BelfryRecords.check(webhookURL, "webhook_url", 1...TextLimits.url)
        try BelfryRecords.check(publicURL, "public_url", 1...TextLimits.url)
        try BelfryRecords.check(paused, "paused", 1...TextLimits.sentence)
        try BelfryRecords.check(quietHours, "quiet_hours", 2...TextLimits.document)
        for (field, secret) in secrets {
            let name = field.replacing("aes_key", with: "encoding_aes_key")
            try BelfryRecords.check(secret?.reveal(), name, 1...TextLimits.secret)
        }
        if let rate { try Self.check(rate, "rate", 1...1_000_000) }
        try Self.check(concurrency, "concurrency", 1...10_000)
        if let dailyQuota { try Self.check(dailyQuota, "daily_quota", 0...1_000_000_000) }
    }

    /// The names are those of columns, and part of what the secrets are sealed with: they never change.
    var secrets: [(field: String, secret: Secret?)] {
        [
            ("secret", secret), ("token", token), ("aes_key", encodingAESKey),
            ("previous_aes_key", previousEncodingAESKey),
            ("webhook_secret", webhookSecret),
        ]
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "-"):
            true
        default: false
        }
    }

    private static func check(_ value: Int, _ field: String, _ allowed: ClosedRange<Int>)
        throws(RecordsError)
    {
        guard allowed.contains(value) else {
            throw RecordsError(
                .invalid,
                "\(field): is \(value); \(allowed.lowerBound) to \(allowed.upperBound) are allowed"
            )
        }
    }
}
