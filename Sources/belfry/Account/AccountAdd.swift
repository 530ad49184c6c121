import ArgumentParser
import BelfryClient

/// `belfry account add`: an account, its secrets from where nobody else reads them.
struct AccountAdd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Add an account.",
        discussion: """
            \(AccountOptions.aboutSecrets)

            Example:
              belfry account add shop --app-id wx0123456789abcdef --original-id gh_0123456789ab --secrets shop.secrets
            """
    )

    @Argument(help: "Its key: in addresses and ids, such as shop.")
    var key: String
    @Option(help: "wechat or webhook. (default: wechat)")
    var kind: String?
    @OptionGroup var account: AccountOptions
    @OptionGroup var api: APIOptions

    func run() async throws {
        try await reporting {
            var members = try account.members()
            members["key"] = .string(key)
            members["kind"] = kind.map { .string($0) }
            let added = try await api.client().call(.post, "/v1/accounts", body: .object(members))
            if api.json { return print(added.text) }
            AccountCommand.show(added)
        }
    }
}

/// `belfry account set`: changes what is given, and leaves the rest.
struct AccountSet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set",
        abstract: "Change an account: what is given, and nothing else.",
        discussion: """
            The word none empties --rate, --daily-quota, --quiet-hours, --webhook-url, --base-url and --public-url.

            \(AccountOptions.aboutSecrets)

            Example:
              belfry account set shop --webhook-url https://example.com/push --rate 200 --secrets shop.secrets
            """
    )

    @Argument(help: "The account.")
    var key: String
    @OptionGroup var account: AccountOptions
    @OptionGroup var api: APIOptions

    func run() async throws {
        try await reporting {
            let members = try account.members()
            guard !members.isEmpty else {
                throw Failure(
                    .badInput,
                    "nothing to change was given",
                    remedy: "`belfry account set --help` tells what can be changed."
                )
            }
            let path = AccountCommand.path(key)
            let changed = try await api.client().call(.patch, path, body: .object(members))
            if api.json { return print(changed.text) }
            AccountCommand.show(changed)
        }
    }
}
