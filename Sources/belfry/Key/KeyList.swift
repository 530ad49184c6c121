import ArgumentParser
import BelfryClient

/// `belfry key list`
struct KeyList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the API keys, without the keys themselves."
    )

    @OptionGroup var api: APIOptions

    func run() async throws {
        try await reporting {
            let keys = try await api.client().call(.get, "/v1/keys")
            if api.json { return print(keys.text) }
            var table = Table("ID", "NAME", "SCOPES", "CREATED", "LAST USED", "ENDS")
            for key in keys["items"].array {
                let ended = key["revoked"].cell
                table.add(
                    key["id"].cell,
                    key["name"].cell,
                    key["scopes"].cell,
                    key["created"].cell,
                    key["last_used"].cell,
                    ended.isEmpty ? key["expires"].cell : "revoked \(ended)"
                )
            }
            table.print(whenEmpty: "there are no keys")
        }
    }
}
