import ArgumentParser
import BelfryClient

/// `belfry account check`: what an account lacks to work.
struct AccountCheck: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Tell what an account lacks to receive callbacks and to send.",
        discussion: "Ends with 65 if something is missing. Nothing is sent and nothing is changed."
    )

    @Argument(help: "The account.")
    var key: String
    @OptionGroup var api: APIOptions

    func run() async throws {
        try await reporting {
            let account = try await api.client().call(.get, AccountCommand.path(key))
            let findings = AccountFindings(account)
            if api.json {
                try printJSON(findings)
            } else {
                for finding in findings.problems { say("missing: \(finding)") }
                for finding in findings.hints { say("note: \(finding)") }
                say(findings.ok ? "\(key): ok" : "\(key): not complete")
            }
            if !findings.ok { throw ExitCode(Failure.Code.badInput.rawValue) }
        }
    }
}

/// What the stored account says about itself.
struct AccountFindings: Encodable {
    var ok: Bool
    var problems: [String] = []
    var hints: [String] = []

    init(_ account: JSON) {
        let has = account["secrets"].members.mapValues { $0.bool == true }
        func lacks(_ name: String) -> Bool { has[name] != true }
        if account["kind"].string == "wechat" {
            if account["app_id"].cell.isEmpty {
                problems.append("app_id: WeChat's AppID, from 设置与开发 / 基本配置")
            }
            if lacks("secret") {
                problems.append(
                    "secret: the AppSecret, without which no access token can be fetched"
                )
            }
            if lacks("token") { problems.append("token: callbacks cannot be verified without it") }
            if account["mode"].string != "plain", lacks("encoding_aes_key") {
                problems.append(
                    "encoding_aes_key: callbacks in \(account["mode"].cell) mode cannot be decrypted without it"
                )
            }
            if account["original_id"].cell.isEmpty {
                hints.append(
                    "original_id is not set: callbacks for another account of the same token would not be noticed"
                )
            }
            let callback = account["callback_url"].cell
            hints.append("callback address to enter at WeChat: \(callback)")
            if callback.contains("//127.") || callback.contains("//localhost") {
                hints.append(
                    "that address is this machine's own; set http.public-url to one that WeChat reaches"
                )
            }
        } else {
            if account["webhook_url"].cell.isEmpty {
                problems.append("webhook_url: where pushes go")
            }
            if lacks("webhook_secret") {
                problems.append("webhook_secret: calls cannot be signed without it")
            }
        }
        if account["paused"] != .null {
            hints.append(
                "it is paused: \(account["paused"].cell). Resume it with: belfry account resume"
            )
        }
        for circuit in account["circuits"].array {
            hints.append(
                "\(circuit["channel"].cell) is out of order since \(circuit["since"].cell): \(circuit["reason"]["message"].cell). Pushes wait until it answers"
            )
        }
        ok = problems.isEmpty
    }
}
