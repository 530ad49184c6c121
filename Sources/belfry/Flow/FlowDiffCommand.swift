import ArgumentParser
import BelfryActivation
import BelfryClient

/// `belfry flow diff`: what applying a file would change.
struct FlowDiffCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Compare a file with the flow that is published on the server.",
        discussion: "Ends with 0 if nothing differs, with 1 if something does."
    )

    @Argument(help: "The account.")
    var account: String
    @Argument(help: "The flow's YAML file.")
    var file: String
    @OptionGroup var api: APIOptions

    func run() async throws {
        try await reporting {
            let new = try FlowFile.read(file).parsed.flow
            guard let old = try await published(new.key) else {
                if api.json { return try printJSON(Changes(isNew: true, changes: [])) }
                say("new: '\(new.key)' is not on the server yet")
                throw ExitCode(1)
            }
            let diff = FlowDiff(from: old, to: new)
            if api.json {
                try printJSON(Changes(isNew: false, changes: diff.changes))
            } else {
                for change in diff.changes { say(change.description) }
                if diff.isEmpty { print("nothing differs") }
            }
            if !diff.isEmpty { throw ExitCode(1) }
        }
    }

    private struct Changes: Encodable {
        var isNew: Bool
        var changes: [FlowChange]
    }

    private func published(_ key: String) async throws -> Flow? {
        let answer: JSON
        do {
            answer = try await api.client().call(.get, FlowPath.of(account, key))
        } catch ClientError.refused(let refusal)
            where refusal.status == 404 && refusal.detail.contains(key)
        {
            return nil
        }
        guard let yaml = answer["yaml"].string else { return nil }
        do { return try FlowYAML.parse(yaml).flow } catch {
            throw Failure(.fault, FlowFile.places(error, in: "the server's '\(key)'"))
        }
    }
}
