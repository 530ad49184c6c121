import ArgumentParser
import BelfryClient

/// `belfry topic show`
struct TopicShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show a topic, how many stand where, and how far a move is."
    )

    @Argument(help: "The topic's key.")
    var topic: String
    @OptionGroup var api: APIOptions

    func run() async throws {
        try await reporting {
            let answer = try await api.client().call(.get, TopicCommand.path(topic))
            if api.json { return print(answer.text) }
            TopicCommand.show(answer)
        }
    }
}

/// `belfry topic list`
struct TopicList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List topics by their keys."
    )

    @Option(help: "Only this account's.")
    var account: String?
    @OptionGroup var page: PageOptions
    @OptionGroup var api: APIOptions

    func run() async throws {
        try await reporting {
            let topics = try await page.fetch(
                api.client(),
                "/v1/topics",
                [("account", account)]
            )
            if api.json { return print(topics.text) }
            var table = Table("TOPIC", "STATE", "ACCOUNT", "OPENS", "TOLD", "CHANNEL", "TITLE")
            for topic in topics["items"].array {
                table.add(
                    topic["topic"].cell,
                    topic["moving"].bool == true ? "moving" : topic["state"].cell,
                    topic["account"].cell,
                    topic["opening"].cell,
                    topic["due"].cell,
                    topic["channel"].cell,
                    topic["title"].cell
                )
            }
            table.print(whenEmpty: "no topics yet: belfry topic set KEY --account …")
            page.tellMore(topics)
        }
    }
}
