import ArgumentParser
import BelfryClient

/// `belfry flow export`
struct FlowExport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Print a flow of the server as YAML."
    )

    @Argument(help: "The account.")
    var account: String
    @Argument(help: "The flow's key.")
    var flow: String
    @OptionGroup var api: APIOptions

    func run() async throws {
        try await reporting {
            let answer = try await api.client().call(.get, FlowPath.of(account, flow))
            if api.json { return print(answer.text) }
            guard let yaml = answer["yaml"].string else {
                throw Failure(.badInput, "'\(flow)' has never been published")
            }
            print(yaml, terminator: yaml.hasSuffix("\n") ? "" : "\n")
        }
    }
}
