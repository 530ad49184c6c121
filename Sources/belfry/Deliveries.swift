import ArgumentParser
import BelfryClient

/// `belfry deliveries`: what became of pushes, and why.
struct Deliveries: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List what became of pushes and why, newest first.",
        discussion: """
            Example:
              belfry deliveries --account shop --outcome dead --since 2026-11-21T00:00:00+08:00
            """
    )

    @Option(help: "Of this account.")
    var account: String?
    @Option(help: "To this person; needs --account.")
    var to: String?
    @Option(help: "Of this flow.")
    var flow: String?
    @Option(help: "Of this push.")
    var push: String?
    @Option(
        name: [.customLong("outcome"), .customLong("state")],
        help: "How it ended or why it waits, such as sent, dead or held_paused."
    )
    var state: String?
    @Option(help: "From this time on: RFC 3339.")
    var since: String?
    @Option(help: "Before this time: RFC 3339.")
    var until: String?
    @OptionGroup var page: PageOptions
    @OptionGroup var api: APIOptions

    func validate() throws {
        guard to == nil || account != nil else {
            throw ValidationError(
                "--to needs --account: the same id may be another person elsewhere."
            )
        }
    }

    func run() async throws {
        try await reporting {
            let query = [
                ("account", account), ("to", to), ("flow", flow), ("push", push), ("state", state),
                ("since", since), ("until", until),
            ]
            let found = try await page.fetch(api.client(), "/v1/deliveries", query)
            if api.json { return print(found.text) }
            DeliveryTable.print(found["items"].array)
            page.tellMore(found)
        }
    }
}
