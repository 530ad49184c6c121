import ArgumentParser

/// `belfry key`: who may use the API.
struct KeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key",
        abstract: "Make, list and revoke API keys.",
        subcommands: [KeyCreate.self, KeyList.self, KeyRevoke.self]
    )
}
