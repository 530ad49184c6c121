import ArgumentParser
import BelfryActivation

/// `belfry flow check`: what is wrong with flows, and whom each step can reach.
struct FlowCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check flows: mistakes with line and column, and whom each step can be sent to.",
        discussion: """
            Ends with 65 if a flow would be refused: its file is wrong, or a step can never be sent and names no fallback.
            """
    )

    @Argument(help: "YAML files, one flow each; - for standard input.")
    var files: [String]
    @OptionGroup var rules: RulesOption
    @Flag(name: .shortAndLong, help: "Print only errors and warnings.")
    var quiet = false
    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        try await reporting {
            let rules = try rules.load()
            var reports = try files.map { try FlowReport(path: $0, rules: rules) }
            FlowReport.refuseSameKeys(&reports)
            if json {
                try printJSON(FlowReports(ok: reports.allSatisfy(\.ok), files: reports))
            } else {
                for report in reports { report.print(quiet: quiet) }
            }
            if !reports.allSatisfy(\.ok) { throw ExitCode(Failure.Code.badInput.rawValue) }
        }
    }
}

private struct FlowReports: Encodable {
    var ok: Bool
    var files: [FlowReport]
}

/// What a check found in one file.
struct FlowReport: Encodable {
    var file: String
    /// The flow's key, if it could be read.
    var flow: String?
    var steps: Int?
    var ok: Bool
    var findings: [Line]

    struct Line: Encodable {
        var severity: String
        var code: String
        var line: Int?
        var column: Int?
        var step: String?
        var message: String
        var reach: String?
        var suggestion: String?
    }

    init(path: String, rules: PermissionRules) throws {
        file = path
        let bytes = try Input.bytes(of: path)
        do {
            let parsed = try FlowYAML.parse(bytes)
            let found = FlowCheck.report(parsed, rules: rules)
            flow = parsed.flow.key
            steps = parsed.flow.steps.count
            ok = found.isAccepted
            findings = found.map(Line.init)
        } catch {
            ok = false
            findings = error.problems.map(Line.init)
        }
    }

    /// Two files may not hold the same flow: which one counts would be chance.
    static func refuseSameKeys(_ reports: inout [FlowReport]) {
        var seen: [String: String] = [:]
        for index in reports.indices {
            guard let key = reports[index].flow else { continue }
            if let first = seen[key] {
                reports[index].ok = false
                reports[index].findings.insert(
                    Line(
                        severity: "error",
                        code: "same_key",
                        message: "the key '\(key)' is that of \(first) too"
                    ),
                    at: 0
                )
            } else {
                seen[key] = reports[index].file
            }
        }
    }

    func print(quiet: Bool) {
        for line in findings where !quiet || line.severity != "note" {
            let place = line.line.map { "\(file):\($0):\(line.column ?? 1)" } ?? file
            let step = line.step.map { "step \($0): " } ?? ""
            let hint = line.suggestion.map { "; did you mean '\($0)'?" } ?? ""
            say("\(place): \(line.severity): \(step)\(line.message)\(hint)")
        }
        guard let flow, let steps else { return say("\(file): refused") }
        let verdict = ok ? "ok" : "refused"
        say("\(file): \(verdict): flow \(flow), \(steps) \(steps == 1 ? "step" : "steps")")
    }
}

extension FlowReport.Line {
    init(_ finding: Finding) {
        self.init(
            severity: finding.severity.rawValue,
            code: finding.code,
            line: finding.position?.line,
            column: finding.position?.column,
            step: finding.step,
            message: finding.message,
            reach: finding.reach?.rawValue
        )
    }

    init(_ problem: SourceProblem) {
        self.init(
            severity: "error",
            code: "syntax",
            line: problem.position.line,
            column: problem.position.column,
            message: problem.path.isEmpty
                ? problem.message : "\(problem.path): \(problem.message)",
            suggestion: problem.suggestion
        )
    }
}
