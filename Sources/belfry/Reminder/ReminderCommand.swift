import ArgumentParser
import BelfryClient

/// `belfry reminder`: who is subscribed to which topic.
struct ReminderCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reminder",
        abstract: "Subscribe people to topics, cancel that, and list who stands where.",
        subcommands: [ReminderSubscribe.self, ReminderCancel.self, ReminderList.self]
    )
}

/// `belfry reminder subscribe`
struct ReminderSubscribe: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "subscribe",
        abstract: "Subscribe people to a topic.",
        discussion: """
            Says for each: subscribed, already, or too_late (the topic has opened or is closed). Subscribing again is harmless.
            """
    )

    @OptionGroup var people: ReminderPeople
    @OptionGroup var api: APIOptions

    func run() async throws { try await people.take("subscribe", api) }
}

/// `belfry reminder cancel`
struct ReminderCancel: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "Cancel people's subscriptions to a topic.",
        discussion: """
            Says for each: cancelled (it will never be sent), not_subscribed, already_sent, or in_flight (it is on its way: it may \
            still be sent, but is not tried again).
            """
    )

    @OptionGroup var people: ReminderPeople
    @OptionGroup var api: APIOptions

    func run() async throws { try await people.take("cancel", api) }
}
