import ArgumentParser
import BelfryClient

/// `belfry account`: the senders that Belfry speaks for.
struct AccountCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "account",
        abstract: "List, add, change, pause and check accounts.",
        subcommands: [
            AccountList.self, AccountAdd.self, AccountSet.self, AccountPause.self,
            AccountResume.self, AccountCheck.self,
        ]
    )

    static func path(_ key: String) -> String { "/v1/accounts/\(APIClient.part(key))" }

    static func show(_ account: JSON) {
        Facts(
            account,
            [
                "key", "kind", "name", "paused", "app_id", "original_id", "mode", "callback_url",
                "webhook_url", "base_url", "time_zone", "rules", "combine", "rate", "concurrency",
                "daily_quota", "unknown_policy", "quiet_hours",
            ]
        ).print()
    }
}
