import ArgumentParser
import BelfryClient

/// Whom a command is about: people by name, or a file of them.
struct ReminderPeople: ParsableArguments {
    @Argument(help: "The topic's key.")
    var topic: String
    @Argument(help: "The people: openids, or your own ids.")
    var people: [String] = []
    @Option(help: "A file with one person a line; - for standard input.")
    var file: String?

    func validate() throws {
        guard people.isEmpty != (file == nil) else {
            throw ValidationError("Name people, or a --file of them.")
        }
    }

    /// Far below the server's own limit, so that a broken request costs little.
    private static let linesPerRequest = 20_000

    /// Sends what is wished for everybody, many a request, and tells what became of it.
    func take(_ action: String, _ api: APIOptions) async throws {
        try await reporting {
            let client = try api.client()
            var sums: [String: Int64] = [:]
            if let file {
                var source = try LineSource(path: file)
                while let chunk = try source.next(lines: Self.linesPerRequest, bytes: 8 << 20) {
                    let names = chunk.text.split(separator: UInt8(ascii: "\n"))
                        .map { String(decoding: $0, as: UTF8.self) }
                        .map { String($0.drop(while: \.isWhitespace)) }
                        .map { String($0.reversed().drop(while: \.isWhitespace).reversed()) }
                    try await send(names.filter { !$0.isEmpty }, action, client, api, &sums)
                }
            } else {
                try await send(people, action, client, api, &sums)
            }
            if api.json {
                print(JSON.object(sums.mapValues { .integer($0) }).text)
            } else if file != nil {
                let words = sums.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
                print(words.joined(separator: ", "))
            }
            if sums["error"] != nil { throw ExitCode(Failure.Code.badInput.rawValue) }
        }
    }

    private func send(
        _ people: [String],
        _ action: String,
        _ client: APIClient,
        _ api: APIOptions,
        _ sums: inout [String: Int64]
    ) async throws {
        guard !people.isEmpty else { return }
        let lines = people.map { person in
            JSON.object([
                "topic": .string(topic), "to": .string(person), "action": .string(action),
            ]).bytes
        }
        let answer = try await client.send(
            .post,
            "/v1/reminders:bulk",
            [],
            .init(
                type: "application/x-ndjson",
                bytes: Array(lines.joined(separator: [UInt8(ascii: "\n")]))
            ),
            .seconds(120)
        )
        for (person, line) in zip(people, answer.split(separator: UInt8(ascii: "\n"))) {
            let result = try JSON(parsing: line)
            let status = result["status"].string ?? "error"
            sums[status, default: 0] += 1
            if status == "error" {
                printError("\(person): \(result["detail"].cell)")
            } else if file == nil, !api.json {
                say("\(status)  \(person)")
            }
        }
    }
}
