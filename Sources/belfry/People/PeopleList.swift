import ArgumentParser
import BelfryClient

/// `belfry people list`
struct PeopleList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the people of an account by their ids."
    )

    @Argument(help: "The account.")
    var account: String
    @Option(help: "Only ids that begin so.")
    var prefix: String?
    @OptionGroup var page: PageOptions
    @OptionGroup var api: APIOptions

    func run() async throws {
        try await reporting {
            let people = try await page.fetch(
                api.client(),
                PeoplePath.of(account),
                [("prefix", prefix)]
            )
            if api.json { return print(people.text) }
            var table = Table(
                "PERSON",
                "FOLLOWS",
                "MAY SEND UNTIL",
                "LAST WROTE",
                "NICKNAME",
                "TAGS"
            )
            for person in people["items"].array {
                table.add(
                    person["person"].cell,
                    person["subscribed"].bool == true ? "yes" : "no",
                    person["permissions"]["until"].cell,
                    person["last_message_at"].cell,
                    person["nickname"].cell,
                    person["tags"].cell
                )
            }
            table.print(whenEmpty: "nobody yet: people appear when they follow or write")
            page.tellMore(people)
        }
    }
}
