import ArgumentParser
import BelfryClient

/// `belfry config`: what is set while the server runs.
struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Read and change what can be set while the server runs.",
        discussion: """
            Holds at once, without a restart. Every change is a revision that can be rolled back to. What is not set here is as the settings of the \
            start, or the account, say.
            """,
        subcommands: [
            ConfigGet.self, ConfigSet.self, ConfigHistory.self, ConfigRollback.self,
        ]
    )

    static let path = "/v1/config"

    /// What a change has led to.
    static func show(_ revision: JSON) {
        print("revision \(revision["revision"].cell)")
        guard case .object(let values) = revision["values"] else { return }
        for (key, value) in values.sorted(by: { $0.key < $1.key }) {
            say("\(key)=\(value.cell)")
        }
    }
}
