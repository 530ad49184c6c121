import ArgumentParser
import BelfryClient

/// `belfry topic`: what people ask to be reminded of.
struct TopicCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "topic",
        abstract: "Set, show, list, move and close topics of reminders.",
        subcommands: [
            TopicSet.self, TopicShow.self, TopicList.self, TopicMove.self, TopicClose.self,
        ]
    )

    static func path(_ key: String) -> String { "/v1/topics/\(APIClient.part(key))" }

    static func show(_ topic: JSON) {
        Facts(
            topic,
            [
                "topic", "state", "account", "title", "opening", "lead", "due", "expires",
                "channel", "priority", "merge", "message", "behind",
            ]
        ).print()
        print(counts(topic))
    }

    /// `3 subscribed, 1 cancelled, 0 sent, 0 ended`.
    static func counts(_ topic: JSON) -> String {
        let counts = topic["counts"]
        return ["subscribed", "cancelled", "sent", "ended"]
            .map { "\(counts[$0].integer ?? 0) \($0)" }.joined(separator: ", ")
    }

    /// How far everybody has followed a change.
    static func moving(_ topic: JSON) -> String {
        let behind = topic["behind"].integer ?? 0
        return behind == 0
            ? "everybody is there" : "\(behind) are being moved; belfry topic show tells how far"
    }
}
