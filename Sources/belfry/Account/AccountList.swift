import ArgumentParser
import BelfryClient

/// `belfry account list`
struct AccountList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the accounts."
    )

    @OptionGroup var api: APIOptions

    func run() async throws {
        try await reporting {
            let accounts = try await api.client().call(.get, "/v1/accounts")
            if api.json { return print(accounts.text) }
            var table = Table("KEY", "KIND", "NAME", "RULES", "PAUSED", "CALLBACK")
            for account in accounts["items"].array {
                let rules = account["rules"]
                table.add(
                    account["key"].cell,
                    account["kind"].cell,
                    account["name"].cell,
                    rules.string ?? rules["name"].cell,
                    account["paused"].cell,
                    account["callback_url"].cell
                )
            }
            table.print(whenEmpty: "no accounts yet: belfry account add")
        }
    }
}
