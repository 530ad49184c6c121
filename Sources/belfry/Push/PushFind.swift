import ArgumentParser
import BelfryClient

/// `belfry push find`: what the timeline knows of pending pushes.
struct PushFind: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "find",
        abstract: "Show a pending push: when it is due, and whether a worker holds it."
    )

    @Argument(help: "The push's id.")
    var id: String
    @OptionGroup var api: APIOptions

    func run() async throws {
        try await reporting {
            let push = try await api.client().call(.get, "/v1/pushes/\(APIClient.part(id))")
            if api.json { return print(push.text) }
            Facts(
                push,
                [
                    "id", "state", "deferred", "due", "expires", "account", "to", "channel",
                    "priority",
                    "attempt", "accepted", "merge", "payload",
                ]
            ).print()
        }
    }
}
