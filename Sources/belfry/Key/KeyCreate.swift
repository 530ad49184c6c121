import ArgumentParser
import BelfryClient
import BelfryServer

/// `belfry key create`
struct KeyCreate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Make an API key. It is shown this once.",
        discussion: """
            Scopes:
            \(Scope.allCases.map { "  \($0.rawValue)\n      \($0.meaning)" }.joined(separator: "\n"))
            """
    )

    @Argument(help: "What it is for.")
    var name: String
    @Option(help: "What it may do; may be repeated.")
    var scope: [String]
    @Option(help: "Until when: RFC 3339, or milliseconds since 1970.")
    var expires: String?
    @OptionGroup var api: APIOptions

    func validate() throws {
        if scope.isEmpty { throw ValidationError("Say with --scope what the key may do.") }
    }

    func run() async throws {
        try await reporting {
            let body = JSON.of([
                "name": .string(name), "scopes": .array(scope.map { .string($0) }),
                "expires": .time(expires),
            ])
            let answer = try await api.client().call(.post, "/v1/keys", body: body)
            if api.json { return print(answer.text) }
            // The key alone on standard output, so that it can go straight into a file.
            print(answer["key"].cell)
            printError("made \(answer["id"].cell); the key is not shown again")
        }
    }
}
