import ArgumentParser
import BelfryClient

/// `belfry config set`
struct ConfigSet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set",
        abstract: "Set values while the server runs, all or none.",
        discussion: """
            belfry config set delivery.batch=500 account.shop.rate=20
            belfry config set account.shop.paused="stocktaking until noon"
            belfry config set account.shop.paused=            # nothing behind =: cleared
            """
    )

    @Argument(help: "KEY=VALUE; KEY= clears.")
    var changes: [String]
    @Option(help: "Only if this is the newest revision: nobody's change is overwritten unseen.")
    var revision: Int?
    @OptionGroup var api: APIOptions

    func run() async throws {
        try await reporting {
            var values: [String: JSON] = [:]
            for change in changes {
                guard let equals = change.firstIndex(of: "="), equals > change.startIndex else {
                    throw Failure(.usage, "'\(change)' is not KEY=VALUE")
                }
                let key = String(change[..<equals])
                let value = String(change[change.index(after: equals)...])
                guard values.updateValue(value.isEmpty ? .null : .string(value), forKey: key) == nil
                else { throw Failure(.usage, "'\(key)' is set twice") }
            }
            var body: [String: JSON] = ["values": .object(values)]
            if let revision { body["revision"] = .integer(Int64(revision)) }
            let answer = try await api.client().call(.put, ConfigCommand.path, body: .object(body))
            if api.json { return print(answer.text) }
            ConfigCommand.show(answer)
        }
    }
}
