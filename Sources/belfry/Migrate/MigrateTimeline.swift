import ArgumentParser
import BelfryClient

/// `belfry migrate timeline`
struct MigrateTimeline: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "timeline",
        abstract: "Begin to move all pending pushes, or wait until they are moved.",
        discussion: """
            belfry migrate timeline --to redis://cache:6379/0 --shards 128 --wait
            belfry migrate timeline --to postgres://belfry@db/belfry
            belfry migrate timeline --to embedded         # into the data folder
            belfry migrate timeline --shards 16           # on the same Redis
            """
    )

    @Option(
        help: "redis://…, rediss://…, postgres://…, or embedded. `-` reads it from standard input."
    )
    var to: String?
    @Option(help: "On Redis: so many shards, 1 to 16384.")
    var shards: Int?
    @Flag(help: "Wait until everything is there, and show how far it is.")
    var wait = false
    @OptionGroup var api: APIOptions

    func validate() throws {
        guard to != nil || shards != nil else {
            throw ValidationError("--to or --shards is needed")
        }
    }

    func run() async throws {
        try await reporting {
            var body: [String: JSON] = [:]
            if let to { body["to"] = .string(try address(to)) }
            if let shards { body["shards"] = .integer(Int64(shards)) }
            let client = try api.client()
            var state = try await client.call(
                .post,
                MigrateCommand.path + ":move",
                body: .object(body)
            )
            while wait, state["to"] != .null {
                if !api.json {
                    say("\(state["phase"].cell): \(state["left"].cell) left")
                }
                // The server says no word of its own; a look a second costs nothing.
                try await Task.sleep(for: .seconds(1))
                state = try await client.call(.get, MigrateCommand.path)
            }
            if api.json { return print(state.text) }
            MigrateCommand.show(state)
        }
    }

    private func address(_ text: String) throws -> String {
        switch text {
        case "embedded": ""
        case "-": try Input.firstLine(of: "-", "the address")
        default: text
        }
    }
}
