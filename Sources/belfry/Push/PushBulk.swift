import ArgumentParser
import BelfryClient

/// `belfry push bulk`: many pushes, one JSON object a line.
struct PushBulk: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bulk",
        abstract: "Schedule pushes from lines of JSON, in a file or on standard input.",
        discussion: """
            One object a line, such as
              {"id":"a/1","account":"shop","to":"42","delay":"90s","channel":"log","payload":"hello"}

            Lines that are wrong are told and do not keep the others from being accepted; the exit code is then 65. \
            Sending the same file again is harmless: known ids are replaced. With --json the summary names the first 1,000 refused lines; \
            --results tells all.
            """
    )

    @Argument(help: "The file; - for standard input.")
    var file = "-"
    @Flag(help: "Tell the result of each line as JSON, before the summary.")
    var results = false
    @OptionGroup var api: APIOptions

    func run() async throws {
        try await reporting {
            var source = try LineSource(path: file)
            var summary = BulkSchedule.Summary()
            do {
                try await BulkSchedule(try api.client()).run(
                    &source,
                    progress: &summary,
                    result: { if results { print(String(decoding: $0, as: UTF8.self)) } },
                    trouble: tell
                )
            } catch let error as ClientError {
                if summary.lines > 0 {
                    printError("broke off after \(summary.lines) pushes; send the file again")
                }
                throw error
            }
            show(summary)
            if summary.errors > 0 { throw ExitCode(Failure.Code.badInput.rawValue) }
        }
    }

    private func tell(_ trouble: BulkSchedule.Trouble) {
        if results || api.json { return }
        let place = file == "-" ? "line \(trouble.line)" : "\(file):\(trouble.line)"
        let pointer = trouble.pointer.isEmpty ? "" : "\(trouble.pointer) "
        let name = trouble.id.isEmpty ? "" : " (\(trouble.id))"
        printError("\(place)\(name): \(pointer)\(trouble.detail)")
    }

    private func show(_ summary: BulkSchedule.Summary) {
        if api.json { return print(summary.json.text) }
        let others = [
            (summary.replaced, "replaced"), (summary.merged, "merged"), (summary.parked, "parked"),
            (summary.errors, "refused"),
        ]
        let words = others.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
        print((["\(summary.accepted) accepted"] + words).joined(separator: ", "))
    }
}
