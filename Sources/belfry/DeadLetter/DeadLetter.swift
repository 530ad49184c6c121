import ArgumentParser
import BelfryClient

/// `belfry dead-letter`: pushes that were given up.
struct DeadLetter: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead-letter",
        abstract: "List pushes that were given up with cause and remedy; retry or discard them.",
        subcommands: [DeadLetterList.self, DeadLetterRetry.self, DeadLetterDiscard.self]
    )
}

/// Which dead letters are meant: by id, or all open ones of an account and a cause.
struct DeadLetterSelection: ParsableArguments {
    @Argument(help: "Ids of dead letters.")
    var ids: [String] = []
    @Option(help: "All open ones of this account.")
    var account: String?
    @Option(help: "All open ones of this cause, such as 45015.")
    var code: String?
    @Flag(help: "Only tell what would be done.")
    var dryRun = false

    func validate() throws {
        let isBroad = account != nil || code != nil
        guard ids.isEmpty == isBroad else {
            throw ValidationError("Name ids, or --account or --code.")
        }
    }

    /// Asks the server until nothing more matches; one call handles a thousand.
    ///
    /// - Returns: the sums of the answers' numbers.
    func call(_ client: APIClient, _ verb: String) async throws -> [String: Int64] {
        let body = JSON.of([
            "ids": ids.isEmpty ? .null : .array(ids.map { .string($0) }), "account": .text(account),
            "code": .text(code), "dry_run": .bool(dryRun),
        ])
        var sums: [String: Int64] = [:]
        while true {
            let answer = try await client.call(.post, "/v1/dead-letters:\(verb)", body: body)
            for (name, value) in answer.members {
                if let number = value.integer { sums[name, default: 0] += number }
            }
            let done = answer["retried"].integer ?? answer["discarded"].integer ?? 0
            let isMore = verb == "discard" ? done == 1000 : answer["more"].bool == true
            // Without progress the next call would only find the same ones again.
            if dryRun || !isMore || done == 0 { return sums }
        }
    }
}
