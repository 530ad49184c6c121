import ArgumentParser
import BelfryActivation

/// `belfry flow simulate`: what one person would get, on virtual time.
struct FlowSimulateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract:
            "Play a person through flows on virtual time: what is sent, moved, held, skipped, and why.",
        discussion: """
            Example:
              belfry flow simulate welcome.yaml --at "follow 2026-11-20T02:30" --at "message 2026-11-20T09:10 你好"

            Acts: follow [SCENE], unfollow, message [TEXT], tap [TEXT], menu KEY, scan [SCENE], api [NAME=VALUE …], tag NAME, \
            untag NAME, click, event NAME, accept TEMPLATE, withdraw TEMPLATE; each with a local time, such as 2026-11-20T09:10.
            """
    )

    @Argument(help: "YAML files, one flow each.")
    var files: [String]
    @Option(
        name: .customLong("at"),
        parsing: .singleValue,
        help: "What the person does, and when; may be repeated."
    )
    var acts: [String] = []
    @Option(help: "A file with one act a line; - for standard input.")
    var scenario: String?
    @OptionGroup var rules: RulesOption
    @Option(help: "The account's time zone.")
    var timeZone = "Asia/Shanghai"
    @Option(
        name: .customLong("var"),
        parsing: .singleValue,
        help: "Something known of the person, such as nickname=小王; may be repeated."
    )
    var variables: [String] = []
    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard !acts.isEmpty || scenario != nil else {
            throw ValidationError("Say what the person does with --at or --scenario.")
        }
    }

    func run() async throws {
        try await reporting {
            guard let zone = LocalZone(timeZone) else {
                throw Failure(
                    .badInput,
                    "'\(timeZone)' is no time zone; write its name like Asia/Shanghai"
                )
            }
            let flows = try files.map { try FlowFile.read($0).parsed.flow }
            let lines = FlowSimulator.run(
                flows,
                rules: try rules.load(),
                scenario: try readScenario(zone),
                account: FlowAccount(key: "account", zone: zone),
                person: FlowPerson(id: "person", isFollowing: false, variables: try readVariables())
            )
            if json { return try printJSON(Simulation(lines: lines)) }
            for line in lines { say(line.description) }
        }
    }

    private struct Simulation: Encodable {
        var lines: [SimulatedLine]
    }

    private func readScenario(_ zone: LocalZone) throws -> Scenario {
        var lines = acts
        if let scenario {
            lines += try Input.text(of: scenario)
                .split(whereSeparator: \.isNewline).map(String.init)
                .filter { !$0.hasPrefix("#") && !$0.allSatisfy(\.isWhitespace) }
        }
        do { return try Scenario.parse(lines, zone: zone) } catch {
            throw Failure(.badInput, error.description)
        }
    }

    private func readVariables() throws -> [String: String] {
        var values: [String: String] = [:]
        for text in variables {
            let halves = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard halves.count == 2, !halves[0].isEmpty else {
                throw Failure(.badInput, "--var \(text): write name=value")
            }
            values[String(halves[0])] = String(halves[1])
        }
        return values
    }
}
