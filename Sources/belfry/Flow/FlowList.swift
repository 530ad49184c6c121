import ArgumentParser
import BelfryClient

/// `belfry flow list`
struct FlowList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List an account's flows on the server."
    )

    @Argument(help: "The account.")
    var account: String
    @OptionGroup var api: APIOptions

    func run() async throws {
        try await reporting {
            let flows = try await api.client().call(.get, FlowPath.of(account))
            if api.json { return print(flows.text) }
            var table = Table("FLOW", "STATE", "PUBLISHED", "NEWEST", "UPDATED")
            for flow in flows["items"].array {
                table.add(
                    flow["flow"].cell,
                    flow["state"].cell,
                    flow["published"].cell,
                    flow["newest"].cell,
                    flow["updated"].cell
                )
            }
            table.print(whenEmpty: "no flows yet: belfry flow apply \(account) FILE")
        }
    }
}
