import ArgumentParser
import BelfryClient

/// `belfry dead-letter retry`
struct DeadLetterRetry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Schedule dead letters again, due now; --dry-run first tells how many."
    )

    @OptionGroup var selection: DeadLetterSelection
    @OptionGroup var api: APIOptions

    func run() async throws {
        try await reporting {
            let sums = try await selection.call(api.client(), "retry")
            if api.json {
                return print(
                    JSON.object(
                        sums.mapValues { .integer($0) }.merging(["dry_run": .bool(selection.dryRun)]
                        ) { $1 }
                    ).text
                )
            }
            let verb = selection.dryRun ? "would be scheduled again" : "scheduled again"
            print("\(sums["retried"] ?? 0) \(verb)")
            if let expired = sums["expired"], expired > 0 {
                print("\(expired) have expired meanwhile and are left")
            }
            if let failed = sums["failed"], failed > 0 {
                throw Failure(.unavailable, "\(failed) could not be scheduled and stay open")
            }
        }
    }
}
