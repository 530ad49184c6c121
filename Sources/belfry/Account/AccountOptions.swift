import ArgumentParser
import BelfryClient

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// What an account is made of, but for its key and its kind: given when it is added, and when it is changed.
struct AccountOptions: ParsableArguments {
    static let aboutSecrets = """
        Secrets are not taken from flags, which others on the machine can read. They come from a file of lines such as
          secret=…
          token=…
          encoding_aes_key=…
          previous_encoding_aes_key=…
          webhook_secret=…
        (--secrets FILE, or - for standard input), or from BELFRY_ACCOUNT_SECRET, BELFRY_ACCOUNT_TOKEN, \
        BELFRY_ACCOUNT_ENCODING_AES_KEY and BELFRY_ACCOUNT_WEBHOOK_SECRET.
        """

    @Option(help: "For people to read.")
    var name: String?
    @Option(help: "WeChat's AppID.")
    var appID: String?
    @Option(help: "WeChat's own id of the account: gh_….")
    var originalID: String?
    @Option(help: "How callbacks are encrypted: plain, compat or safe.")
    var mode: String?
    @Option(help: "Such as Asia/Shanghai.")
    var timeZone: String?
    @Option(help: "The permission rules: a preset's name, such as wechat-2023.")
    var rules: String?
    @Option(help: "How several permissions combine: refresh, add or separate.")
    var combine: String?
    @Option(help: "Another address of the WeChat API, such as a simulator's.")
    var baseURL: String?
    @Option(help: "Where people's browsers find this server, for tracked links.")
    var publicURL: String?
    @Option(help: "Where pushes of channel webhook go.")
    var webhookURL: String?
    @Option(help: "Messages a second.")
    var rate: String?
    @Option(help: "Messages under way at once.")
    var concurrency: Int?
    @Option(help: "Messages a day.")
    var dailyQuota: String?
    @Option(help: "When a call ends without an answer: assume-sent or retry-once.")
    var unknownPolicy: String?
    @Option(help: "When nothing is sent, in the account's time zone: 22:00-08:00.")
    var quietHours: String?
    @Option(help: "A file with secrets; - for standard input.")
    var secrets: String?

    /// - Returns: the members that were given; what is `none` is null.
    /// - Throws: ``Failure`` naming the flag.
    func members() throws -> [String: JSON] {
        let texts = [
            "name": name, "app_id": appID, "original_id": originalID, "mode": mode,
            "time_zone": timeZone, "rules": rules, "combine": combine,
            "unknown_policy": unknownPolicy,
        ]
        var members = texts.compactMapValues { $0.map { JSON.string($0) } }
        let addresses = ["base_url": baseURL, "public_url": publicURL, "webhook_url": webhookURL]
        for case (let name, let text?) in addresses {
            members[name] = text == "none" ? .null : .string(text)
        }
        members["concurrency"] = concurrency.map { .integer(Int64($0)) }
        if let rate { members["rate"] = try Self.count(rate, "--rate") }
        if let dailyQuota { members["daily_quota"] = try Self.count(dailyQuota, "--daily-quota") }
        if let quietHours { members["quiet_hours"] = try Self.hours(quietHours) }
        for (name, value) in try readSecrets() { members[name] = .string(value) }
        return members
    }

    private static func count(_ text: String, _ flag: String) throws -> JSON {
        if text == "none" { return .null }
        guard let count = Int64(text) else {
            throw Failure(.badInput, "\(flag) must be a whole number, or none, not '\(text)'")
        }
        return .integer(count)
    }

    private static func hours(_ text: String) throws -> JSON {
        if text == "none" { return .null }
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
        guard ends.count == 2 else {
            throw Failure(
                .badInput,
                "--quiet-hours must be two times of the day such as 22:00-08:00, or none, not '\(text)'"
            )
        }
        return .object(["from": .string(ends[0]), "to": .string(ends[1])])
    }

    private static let names = [
        "secret", "token", "encoding_aes_key", "previous_encoding_aes_key", "webhook_secret",
    ]

    private func readSecrets() throws -> [String: String] {
        let environment = ProcessInfo.processInfo.environment
        var found: [String: String] = [:]
        for name in Self.names {
            found[name] = environment["BELFRY_ACCOUNT_\(name.uppercased())"]
        }
        guard let secrets else { return found }
        let lines = try Input.text(of: secrets)
            .split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (index, line) in lines.enumerated() {
            if line.allSatisfy(\.isWhitespace) || line.hasPrefix("#") { continue }
            let halves = line.split(separator: "=", maxSplits: 1).map {
                String($0.drop(while: \.isWhitespace)).withoutTrailingBlanks
            }
            guard halves.count == 2, Self.names.contains(halves[0]) else {
                // The line itself may be a secret: it is not repeated.
                throw Failure(
                    .badInput,
                    "\(secrets):\(index + 1): expected one of \(Self.names.joined(separator: ", ")), then = and its value"
                )
            }
            found[halves[0]] = halves[1]
        }
        return found
    }
}

extension String {
    fileprivate var withoutTrailingBlanks: String {
        var text = self[...]
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
