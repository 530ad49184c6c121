import ArgumentParser
import BelfryClient

/// `belfry push cancel`: takes pushes back.
struct PushCancel: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "Cancel pushes by id.",
        discussion: """
            Says for each: cancelled (it will never be sent), in_flight (a worker holds it: it may still be sent, but not retried) \
            or gone (nothing of that id is pending).
            """
    )

    @Argument(help: "The pushes' ids, at most 10,000.")
    var ids: [String]
    @OptionGroup var api: APIOptions

    func run() async throws {
        try await reporting {
            let body = JSON.object(["ids": .array(ids.map { .string($0) })])
            let answer = try await api.client().call(.post, "/v1/pushes:cancel", body: body)
            if api.json { return print(answer.text) }
            for result in answer["results"].array {
                say("\(result["status"].cell)  \(result["id"].cell)")
            }
        }
    }
}
