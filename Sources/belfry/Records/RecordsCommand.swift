import ArgumentParser
import BelfryClient

/// `belfry records`: where accounts, people and history lie.
struct RecordsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "records",
        abstract:
            "Show where accounts, people and history lie, and move them while the server runs.",
        subcommands: [RecordsStatus.self, RecordsMoveCommand.self, RecordsReopen.self]
    )

    static let path = "/v1/records"

    static func show(_ answer: JSON) {
        say("the records lie in \(answer["place"].cell)")
        switch answer["move"].string {
        case "moving":
            say("they are moving to \(answer["to"].cell): \(answer["step"].cell)")
        case "failed":
            say("they could not be moved to \(answer["to"].cell): \(answer["error"].cell)")
        case "moved":
            guard case .object(let rows) = answer["rows"] else { return }
            let count = rows.values.reduce(Int64(0)) { $0 + ($1.integer ?? 0) }
            print(
                "they were moved there: \(count) rows and \(answer["changes"].cell) changes; writes waited for \(answer["held_ms"].cell) ms"
            )
        default: break
        }
    }
}

/// `belfry records status`
struct RecordsStatus: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show where the records lie, and how a move stands."
    )

    @OptionGroup var api: APIOptions

    func run() async throws {
        try await reporting {
            let answer = try await api.client().call(.get, RecordsCommand.path)
            if api.json { return print(answer.text) }
            RecordsCommand.show(answer)
        }
    }
}
