import ArgumentParser
import BelfryClient

/// `belfry config get`
struct ConfigGet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Show what is set, and which revision each node has applied."
    )

    @Argument(help: "One key alone: what was set while running, else the setting of the start.")
    var name: String?
    @Flag(help: "Show the keys that can be set, and what each may be.")
    var keys = false
    @OptionGroup var api: APIOptions

    func run() async throws {
        try await reporting {
            let answer = try await api.client().call(.get, ConfigCommand.path)
            if let name { return try show(name, answer) }
            if api.json { return print(answer.text) }
            if keys { return show(keysOf: answer) }
            ConfigCommand.show(answer["live"])
            for node in answer["nodes"].array {
                say(Self.line(node))
            }
        }
    }

    private static func line(_ node: JSON) -> String {
        let shards = node["shards"] == .null ? "" : ", \(node["shards"].cell) shards"
        let gone = node["alive"] == .bool(false) ? ", silent since \(node["seen"].cell)" : ""
        return
            "node \(node["node"].cell): revision \(node["revision"].cell), since \(node["at"].cell)\(shards)\(gone)"
    }

    private func show(_ name: String, _ answer: JSON) throws {
        let live = answer["live"]["values"][name]
        let fixed = answer["settings"].array.first { $0["key"].string == name }
        guard live != .null || fixed != nil else {
            throw Failure(
                .badInput,
                "\(name) is not set, and is no setting of the start",
                remedy: "belfry config get --keys lists what can be set."
            )
        }
        let value = live == .null ? fixed?["value"] ?? .null : live
        guard api.json else { return print(TextWidth.printable(value.cell)) }
        let origin = live == .null ? fixed?["origin"] ?? .null : .string("live")
        print(JSON.object(["key": .string(name), "value": value, "origin": origin]).text)
    }

    private func show(keysOf answer: JSON) {
        var table = Table("KEY", "ALLOWED", "MEANING")
        for key in answer["keys"].array {
            table.add(key["key"].cell, key["allowed"].cell, key["meaning"].cell)
        }
        table.print(whenEmpty: "nothing can be set while this server runs")
    }
}
