import ArgumentParser
import BelfryClient

/// `belfry reminder list`
struct ReminderList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the people of a topic, or the topics of a person."
    )

    @Option(help: "The people of this topic.")
    var topic: String?
    @Option(help: "Only those that are subscribed, cancelled, sent or ended.")
    var state: String?
    @Option(help: "The account of a person.")
    var account: String?
    @Option(help: "The topics of this person.")
    var to: String?
    @OptionGroup var page: PageOptions
    @OptionGroup var api: APIOptions

    func validate() throws {
        let hasPerson = account != nil && to != nil
        guard (topic != nil) != hasPerson, hasPerson || (account == nil && to == nil) else {
            throw ValidationError("Give --topic, or --account and --to.")
        }
    }

    func run() async throws {
        try await reporting {
            let reminders = try await page.fetch(
                api.client(),
                "/v1/reminders",
                [("topic", topic), ("state", state), ("account", account), ("to", to)]
            )
            if api.json { return print(reminders.text) }
            var table = Table("TOPIC", "PERSON", "STATE", "OUTCOME", "DUE", "SINCE")
            for reminder in reminders["items"].array {
                table.add(
                    reminder["topic"].cell,
                    reminder["to"].cell,
                    reminder["state"].cell,
                    reminder["outcome"].cell,
                    reminder["due"].cell,
                    reminder["since"].cell
                )
            }
            table.print(whenEmpty: "nobody yet: belfry reminder subscribe TOPIC PERSON")
            page.tellMore(reminders)
        }
    }
}
