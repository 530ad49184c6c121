import ArgumentParser
import BelfryClient

/// `belfry records move`
struct RecordsMoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "move",
        abstract:
            "Move the records to PostgreSQL, or back into the data folder, while the server runs.",
        discussion: """
            belfry records move --to postgres://belfry:secret@db.example/belfry
            belfry records move --to sqlite

            The server copies everything, goes on serving meanwhile, and holds writes for a moment at the end. Whatever breaks before that leaves the \
            records where they are. Afterwards set records.url to the new place before the next start: a start with the old one is refused. One server \
            alone may use records that move. An address in an argument can be seen by others on the machine: --to-file reads it from a file.
            """
    )

    @Option(help: "sqlite: the data folder's own file; or an address of PostgreSQL.")
    var to: String?
    @Option(help: "A file that holds the address.")
    var toFile: String?
    @OptionGroup var api: APIOptions

    func validate() throws {
        guard (to == nil) != (toFile == nil) else {
            throw ValidationError("give either --to or --to-file")
        }
    }

    func run() async throws {
        try await reporting {
            let place = try toFile.map { try Input.firstLine(of: $0, "the address") } ?? to ?? ""
            let client = try api.client()
            let path = RecordsCommand.path + ":move"
            var answer = try await client.call(.post, path, body: JSON.of(["to": .string(place)]))
            var step = ""
            while answer["move"].string == "moving" {
                try await Task.sleep(for: .milliseconds(200))
                answer = try await client.call(.get, RecordsCommand.path)
                if !api.json, answer["step"].cell != step, answer["move"].string == "moving" {
                    step = answer["step"].cell
                    say(step)
                }
            }
            if api.json { print(answer.text) } else { RecordsCommand.show(answer) }
            guard answer["move"].string == "moved" else {
                throw Failure(
                    .badInput,
                    "the records stay in \(answer["place"].cell): \(answer["error"].cell)"
                )
            }
            if !api.json { print("set records.url to that place before the next start") }
        }
    }
}
