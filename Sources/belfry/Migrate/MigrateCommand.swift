import ArgumentParser
import BelfryClient

/// `belfry migrate`: all pending pushes to another place, while they are scheduled and sent.
struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Move all pending pushes to another place while the server runs.",
        discussion: """
            Between the data folder, a Redis server or cluster, and a PostgreSQL database, or into another number of shards. Nothing is lost, sent early or sent twice by it; a move \
            that is cancelled goes back. All servers over the same records take part.
            """,
        subcommands: [MigrateTimeline.self, MigrateStatus.self, MigrateCancel.self]
    )

    static let path = "/v1/timeline"

    /// Where pushes are, and how far a move is.
    static func show(_ state: JSON) {
        let phase = state["phase"].cell
        guard state["to"] != .null else {
            say("at      \(place(state["from"]))")
            say("pending \(state["left"].cell)")
            return showNodes(state)
        }
        say("phase   \(phase)\(state["back"] == .bool(true) ? ", going back" : "")")
        say("from    \(place(state["from"])): \(state["left"].cell) left")
        say("to      \(place(state["to"])): \(state["arrived"].cell) there")
        if state["problem"] != .null { say("problem \(state["problem"].cell)") }
        showNodes(state)
    }

    private static func showNodes(_ state: JSON) {
        let epoch = state["epoch"].cell
        for node in state["nodes"].array {
            let words = [
                node["alive"] == .bool(true) ? "alive" : "gone",
                node["epoch"].cell == epoch ? "takes part" : "has not yet heard of it",
                node["leads"] == .bool(true) ? "leads" : nil,
            ]
            print(
                "node    \(node["node"].cell): \(words.compactMap { $0 }.joined(separator: ", "))"
            )
        }
    }

    private static func place(_ place: JSON) -> String {
        switch place["kind"].cell {
        case "embedded": "the data folder"
        case "redis":
            "\(place["url"].cell), \(place["shards"].cell) shards of \(place["prefix"].cell)"
        default: "\(place["url"].cell), schema \(place["prefix"].cell)"
        }
    }
}

/// `belfry migrate status`
struct MigrateStatus: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show where pending pushes are, and how far a move is."
    )

    @OptionGroup var api: APIOptions

    func run() async throws {
        try await reporting {
            let state = try await api.client().call(.get, MigrateCommand.path)
            if api.json { return print(state.text) }
            MigrateCommand.show(state)
        }
    }
}

/// `belfry migrate cancel`
struct MigrateCancel: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "Let a move go back to where it began."
    )

    @OptionGroup var api: APIOptions

    func run() async throws {
        try await reporting {
            let state = try await api.client().call(.post, MigrateCommand.path + ":cancel")
            if api.json { return print(state.text) }
            MigrateCommand.show(state)
        }
    }
}
