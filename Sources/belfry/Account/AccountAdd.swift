import ArgumentParser
import BelfryClient

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// `belfry account add`: an account, its secrets from where nobody else reads them.
struct AccountAdd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Add an account.",
        discussion: """
            Secrets are not taken from flags, which others on the machine can read. They come from a file of lines such as
              secret=…
              token=…
              encoding_aes_key=…
              webhook_secret=…
            (--secrets FILE, or - for standard input), or from BELFRY_ACCOUNT_SECRET, BELFRY_ACCOUNT_TOKEN, \
            BELFRY_ACCOUNT_ENCODING_AES_KEY and BELFRY_ACCOUNT_WEBHOOK_SECRET.

            Example:
              belfry account add shop --app-id wx0123456789abcdef --original-id gh_0123456789ab --secrets shop.secrets
            """
    )

    @Argument(help: "Its key: in addresses and ids, such as shop.")
    var key: String
    @Option(help: "wechat or webhook. (default: wechat)")
    var kind: String?
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
    @Option(help: "Another address of the WeChat API, such as a simulator's.")
    var baseURL: String?
    @Option(help: "Where pushes of channel webhook go.")
    var webhookURL: String?
    @Option(help: "A file with secrets; - for standard input.")
    var secrets: String?
    @OptionGroup var api: APIOptions

    func run() async throws {
        try await reporting {
            var members = JSON.of([
                "key": .string(key), "kind": .text(kind), "name": .text(name),
                "app_id": .text(appID), "original_id": .text(originalID), "mode": .text(mode),
                "time_zone": .text(timeZone), "rules": .text(rules), "base_url": .text(baseURL),
                "webhook_url": .text(webhookURL),
            ]).members
            for (name, value) in try readSecrets() { members[name] = .string(value) }
            let account = try await api.client().call(.post, "/v1/accounts", body: .object(members))
            if api.json { return print(account.text) }
            AccountCommand.show(account)
        }
    }

    private static let names = ["secret", "token", "encoding_aes_key", "webhook_secret"]

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
