import ArgumentParser
import BelfryClient

/// `belfry dead-letter discard`
struct DeadLetterDiscard: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "discard",
        abstract: "Give dead letters up for good."
    )

    @OptionGroup var selection: DeadLetterSelection
    @OptionGroup var confirmation: Confirmation
    @OptionGroup var api: APIOptions

    func run() async throws {
        try await reporting {
            if !selection.dryRun { try confirmation.ask("Give them up for good?") }
            let sums = try await selection.call(api.client(), "discard")
            let count = sums["discarded"] ?? 0
            if api.json {
                let answer: JSON = .object([
                    "discarded": .integer(count), "dry_run": .bool(selection.dryRun),
                ])
                return print(answer.text)
            }
            print("\(count) \(selection.dryRun ? "would be discarded" : "discarded")")
        }
    }
}
