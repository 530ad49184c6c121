import ArgumentParser
import BelfryClient

/// `belfry push find`: what the timeline knows of pending pushes.
struct PushFind: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "find",
        abstract:
            "Show a pending push: when it is due, what holds it back, and whether a worker has it."
    )

    @Argument(help: "The push's id.")
    var id: String
    @OptionGroup var api: APIOptions

    func run() async throws {
        try await reporting {
            let push = try await api.client().call(.get, "/v1/pushes/\(APIClient.part(id))")
            if api.json { return print(push.text) }
            Facts(
                Self.inWords(push),
                [
                    "id", "state", "held", "deferred", "due", "expires", "account", "to", "channel",
                    "priority",
                    "attempt", "accepted", "merge", "payload",
                ]
            ).print()
        }
    }

    /// With why it waits as a sentence.
    private static func inWords(_ push: JSON) -> JSON {
        var members = push.members
        for name in ["held", "deferred"] where push[name] != .null {
            let why = push[name]
            let remedy = why["remedy"].cell
            members[name] = .string(
                "\(DeliveryTable.reason(why)), until \(why["until"].cell)"
                    + (remedy.isEmpty ? "" : ". \(remedy)")
            )
        }
        return .object(members)
    }
}
