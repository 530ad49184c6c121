import ArgumentParser
import BelfryClient

/// `belfry config rollback`
struct ConfigRollback: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Set everything as it was at an earlier revision, as a new one."
    )

    @Argument(help: "The revision to go back to; 0: nothing set.")
    var to: Int
    @Option(help: "Only if this is the newest revision: nobody's change is overwritten unseen.")
    var revision: Int?
    @OptionGroup var api: APIOptions

    func run() async throws {
        try await reporting {
            var body: [String: JSON] = ["to": .integer(Int64(to))]
            if let revision { body["revision"] = .integer(Int64(revision)) }
            let path = ConfigCommand.path + ":rollback"
            let answer = try await api.client().call(.post, path, body: .object(body))
            if api.json { return print(answer.text) }
            ConfigCommand.show(answer)
        }
    }
}
