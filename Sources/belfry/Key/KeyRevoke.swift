import ArgumentParser
import BelfryClient

/// `belfry key revoke`
struct KeyRevoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Revoke an API key, at once."
    )

    @Argument(help: "The key's id, as `belfry key list` shows it.")
    var id: String
    @OptionGroup var api: APIOptions

    func run() async throws {
        try await reporting {
            let path = "/v1/keys/\(APIClient.part(id))"
            let answer = try await api.client().call(.delete, path)
            print(api.json ? answer.text : "\(id) is revoked")
        }
    }
}
