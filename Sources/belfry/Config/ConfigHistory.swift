import ArgumentParser
import BelfryClient

/// `belfry config history`
struct ConfigHistory: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "Show who set what, and when; the newest first."
    )

    @Option(help: "At most so many revisions, 1 to 1000.")
    var limit = 20
    @OptionGroup var api: APIOptions

    func run() async throws {
        try await reporting {
            let path = "\(ConfigCommand.path)/history?limit=\(limit)"
            let answer = try await api.client().call(.get, path)
            if api.json { return print(answer.text) }
            var table = Table("REVISION", "AT", "WHO", "KEY", "OLD", "NEW")
            for item in answer["items"].array {
                for change in item["changes"].array {
                    table.add(
                        item["revision"].cell,
                        item["at"].cell,
                        item["who"].cell,
                        change["key"].cell,
                        change["old"].cell,
                        change["new"].cell
                    )
                }
            }
            table.print(whenEmpty: "nothing was ever set while running")
        }
    }
}
