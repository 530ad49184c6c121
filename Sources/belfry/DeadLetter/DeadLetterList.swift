import ArgumentParser
import BelfryClient

/// `belfry dead-letter list`: by cause, or one by one.
struct DeadLetterList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Show open dead letters by cause with remedies; one by one with --each."
    )

    @Flag(help: "One line a dead letter.")
    var each = false
    @Option(help: "Of this account.")
    var account: String?
    @Option(help: "With --each: of this cause.")
    var code: String?
    @Option(help: "With --each: open, retried or discarded. (default: open)")
    var state: String?
    @OptionGroup var page: PageOptions
    @OptionGroup var api: APIOptions

    func run() async throws {
        try await reporting {
            let client = try api.client()
            if each || code != nil || state != nil { return try await showEach(client) }
            let query = account.map { [("account", $0)] } ?? []
            let answer = try await client.call(.get, "/v1/dead-letters:groups", query: query)
            if api.json { return print(answer.text) }
            var table = Table("CAUSE", "COUNT", "OLDEST", "NEWEST", "WHAT", "REMEDY")
            for group in answer["groups"].array {
                table.add(
                    group["code"].cell,
                    group["count"].cell,
                    group["oldest"].cell,
                    group["newest"].cell,
                    group["reason"]["message"].cell,
                    group["reason"]["remedy"].cell
                )
            }
            table.print(whenEmpty: "there are no dead letters")
        }
    }

    private func showEach(_ client: APIClient) async throws {
        let letters = try await page.fetch(
            client,
            "/v1/dead-letters",
            [("account", account), ("code", code), ("state", state)]
        )
        if api.json { return print(letters.text) }
        var table = Table("ID", "AT", "PUSH", "TO", "ATTEMPTS", "CAUSE", "REMEDY")
        for letter in letters["items"].array {
            table.add(
                letter["id"].cell,
                letter["at"].cell,
                letter["push"]["id"].cell,
                "\(letter["push"]["account"].cell)/\(letter["push"]["to"].cell)",
                letter["attempts"].cell,
                DeliveryTable.reason(letter["reason"]),
                letter["reason"]["remedy"].cell
            )
        }
        table.print(whenEmpty: "there are none")
        page.tellMore(letters)
    }
}
