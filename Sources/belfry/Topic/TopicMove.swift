import ArgumentParser
import BelfryClient

/// `belfry topic move`
struct TopicMove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "move",
        abstract: "Give a topic another opening time; everybody who waits moves with it."
    )

    @Argument(help: "The topic's key.")
    var topic: String
    @Option(
        name: .customLong("to"),
        help: "When it opens now: RFC 3339, local time of the account, or milliseconds since 1970."
    )
    var opening: String
    @OptionGroup var api: APIOptions

    func run() async throws {
        try await reporting {
            let answer = try await api.client().call(
                .patch,
                TopicCommand.path(topic),
                body: .object(["opening": .time(opening)])
            )
            if api.json { return print(answer.text) }
            say("\(topic) opens \(answer["opening"].cell), people are told \(answer["due"].cell)")
            print(TopicCommand.moving(answer))
        }
    }
}

/// `belfry topic close`
struct TopicClose: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "close",
        abstract: "Close a topic for good: whoever has not been reminded will not be."
    )

    @Argument(help: "The topic's key.")
    var topic: String
    @OptionGroup var confirmation: Confirmation
    @OptionGroup var api: APIOptions

    func run() async throws {
        try await reporting {
            try confirmation.ask("Close '\(topic)' and cancel everybody's reminder?")
            let answer = try await api.client().call(.delete, TopicCommand.path(topic))
            print(api.json ? answer.text : "\(topic) is closed: \(TopicCommand.counts(answer))")
        }
    }
}
