import BelfryCore
import Yams

/// A flow as it was read, and where each of its values stands in the file.
package struct ParsedFlow: Sendable, Hashable {
    package var flow: Flow
    /// By the way to the value: `steps[2].after`. Empty for a flow that did not come from a file.
    package var positions: [String: SourcePosition]

    package init(_ flow: Flow, positions: [String: SourcePosition] = [:]) {
        self.flow = flow
        self.positions = positions
    }
}

/// Flows as YAML files: one flow a file.
package enum FlowYAML {
    /// Reads a flow; JSON is YAML too.
    ///
    /// - Throws: ``InvalidSource`` with every mistake, its line and column.
    package static func parse(_ bytes: [UInt8]) throws(InvalidSource) -> ParsedFlow {
        let root = try SourceText.tree(bytes, what: "a flow with 'key', 'trigger' and 'steps'")
        var reader = SourceReader()
        let flow = reader.flow(root)
        guard let flow, reader.problems.isEmpty else {
            throw InvalidSource(problems: reader.problems)
        }
        return ParsedFlow(flow, positions: reader.positions)
    }

    package static func parse(_ text: String) throws(InvalidSource) -> ParsedFlow {
        try parse(Array(text.utf8))
    }
}

extension SourceReader {
    private static let flowKeys = [
        "key", "name", "trigger", "time_zone", "reentry", "only_if", "reply", "quiet_hours",
        "variables", "track_links", "goal", "steps",
    ]

    mutating func flow(_ root: Node) -> Flow? {
        let members = members(root, "", known: Self.flowKeys)
        require(["key", "trigger", "steps"], members, root, "")
        let key = members["key"].flatMap { self.key($0, "key") }
        let name = members["name"].flatMap { text($0, "name", limit: FlowLimits.nameLength) }
        let trigger = members["trigger"].flatMap { self.trigger($0, "trigger") }
        let zone = members["time_zone"].flatMap { self.zone($0, "time_zone") }
        let reentry = members["reentry"].flatMap { choice($0, "reentry", Reentry.self) }
        let conditions = members["only_if"].map { self.conditions($0, "only_if", isEntry: true) }
        let reply = members["reply"].flatMap { self.reply($0, "reply") }
        let quiet = members["quiet_hours"].flatMap { self.quietHours($0, "quiet_hours") }
        let variables = members["variables"].map { self.variables($0, "variables") }
        let tracksLinks = members["track_links"].flatMap { flag($0, "track_links") }
        let goal = members["goal"].flatMap { self.goal($0, "goal") }
        let steps = members["steps"].map { self.steps($0, "steps") } ?? []
        guard let key, let trigger else { return nil }
        return Flow(
            key: key,
            name: name ?? key,
            trigger: trigger,
            zone: zone,
            reentry: reentry,
            conditions: conditions ?? FlowConditions(),
            reply: reply,
            quietHours: quiet,
            variables: variables ?? [:],
            tracksLinks: tracksLinks ?? true,
            goal: goal,
            steps: steps
        )
    }

    private mutating func steps(_ node: Node, _ path: String) -> [FlowStep] {
        let nodes = list(node, path)
        if case .sequence = node, nodes.isEmpty { report(node, path, "has no step") }
        if nodes.count > FlowLimits.steps {
            report(
                node,
                path,
                "has \(nodes.count) steps; at most \(FlowLimits.steps) are allowed"
            )
        }
        var steps: [FlowStep] = []
        var places: [String: SourcePosition] = [:]
        for (index, node) in nodes.prefix(FlowLimits.steps).enumerated() {
            let place = "\(path)[\(index)]"
            guard let step = step(node, place, isFirst: index == 0) else { continue }
            if let first = places[step.id] {
                report(node, place, "the id '\(step.id)' is taken by the step at \(first)")
            }
            places[step.id] = SourcePosition(node)
            steps.append(step)
        }
        return steps
    }

    private mutating func zone(_ node: Node, _ path: String) -> LocalZone? {
        guard let name = text(node, path) else { return nil }
        guard let zone = LocalZone(name) else {
            report(
                node,
                path,
                "'\(name.shortened)' is no time zone; write its name like Asia/Shanghai"
            )
            return nil
        }
        return zone
    }

    private mutating func quietHours(_ node: Node, _ path: String) -> QuietHours? {
        let members = members(node, path, known: ["from", "to"])
        guard case .mapping = node else { return nil }
        require(["from", "to"], members, node, path)
        let from = members["from"].flatMap { localTime($0, "\(path).from") }
        let to = members["to"].flatMap { localTime($0, "\(path).to") }
        guard let from, let to else { return nil }
        guard let quiet = QuietHours(from: from, to: to) else {
            report(node, path, "'from' and 'to' are the same time")
            return nil
        }
        return quiet
    }

    private mutating func variables(_ node: Node, _ path: String) -> [String: String?] {
        var variables: [String: String?] = [:]
        let entries = freeMembers(node, path)
        if entries.count > FlowLimits.variables {
            report(node, path, "has more than \(FlowLimits.variables) entries")
        }
        for (name, node) in entries.prefix(FlowLimits.variables) {
            let place = "\(path).\(name)"
            guard FlowKey.isValid(name) else {
                report(node, place, "a variable's name may only have a-z, 0-9, '-' and '_'")
                continue
            }
            guard !TemplateValues.known.contains(name) else {
                report(node, place, "'\(name)' is known already, and cannot be declared anew")
                continue
            }
            guard case .scalar(let scalar) = node else {
                report(node, place, "has to be a single value")
                continue
            }
            let isAbsent = scalar.style == .plain && ["", "~", "null"].contains(scalar.string)
            variables[name] = .some(
                isAbsent ? nil : scalar.string.cut(toBytes: FlowLimits.variableBytes)
            )
        }
        return variables
    }

    private mutating func goal(_ node: Node, _ path: String) -> FlowGoal? {
        if case .scalar = node {
            return word(node, path, ["answered", "click"])
                .map { FlowGoal($0 == "click" ? .click : .answered) }
        }
        let members = members(node, path, known: ["answered", "click", "tag", "event", "stops"])
        guard case .mapping = node else { return nil }
        let stops = members["stops"].flatMap { flag($0, "\(path).stops") } ?? true
        let kinds = members.keys.filter { $0 != "stops" }
        guard kinds.count == 1, let kind = kinds.first, let value = members[kind] else {
            report(node, path, "has to name one of 'answered', 'click', 'tag' and 'event'")
            return nil
        }
        switch kind {
        case "tag":
            return text(value, "\(path).tag", limit: 64).map { FlowGoal(.tag($0), stops: stops) }
        case "event":
            return text(value, "\(path).event", limit: 64)
                .map { FlowGoal(.event($0), stops: stops) }
        default:
            _ = flag(value, "\(path).\(kind)")
            return FlowGoal(kind == "click" ? .click : .answered, stops: stops)
        }
    }
}
