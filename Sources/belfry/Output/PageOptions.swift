import ArgumentParser
import BelfryClient

/// How much of a long list is shown.
struct PageOptions: ParsableArguments {
    @Option(help: "How many to show: 1 to 1000.")
    var limit = 100
    @Option(help: "Go on where a page ended: its next_cursor.")
    var cursor: String?
    @Flag(help: "Show all pages.")
    var all = false

    func validate() throws {
        guard (1...1000).contains(limit) else {
            throw ValidationError("--limit must be 1 to 1000.")
        }
    }

    /// One page, or with `--all` all of them as if they were one.
    func fetch(_ client: APIClient, _ path: String, _ query: [(String, String?)] = [])
        async throws -> JSON
    {
        let fixed = query.compactMap { name, value in value.map { (name, $0) } }
        var items: [JSON] = []
        var cursor = cursor
        while true {
            let place =
                [("limit", String(all ? 1000 : limit))] + (cursor.map { [("cursor", $0)] } ?? [])
            let page = try await client.call(.get, path, query: fixed + place)
            if !all { return page }
            items += page["items"].array
            guard let next = page["next_cursor"].string else { break }
            cursor = next
        }
        return .object(["items": .array(items), "next_cursor": .null])
    }

    /// Says how to see more, on standard error.
    func tellMore(_ page: JSON) {
        guard let next = page["next_cursor"].string else { return }
        printError("there is more: --cursor \(next), or --all")
    }
}

/// Asks before something that cannot be undone.
struct Confirmation: ParsableArguments {
    @Flag(help: "Do not ask.")
    var yes = false

    /// - Throws: ``Failure`` where the answer is no, or nobody is there to answer.
    func ask(_ question: String) throws {
        if yes { return }
        guard isInteractive else {
            throw Failure(.badInput, "\(question) Say --yes: nobody is there to ask.")
        }
        print("\(question) [y/N] ", terminator: "")
        flushOutput()
        let answer = readLine()?.lowercased() ?? ""
        guard ["y", "yes"].contains(answer) else { throw Failure(.badInput, "nothing was done") }
    }
}
