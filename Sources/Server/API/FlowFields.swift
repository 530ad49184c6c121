import BelfryActivation
import BelfryCore
import BelfryRecords

/// Flows as the API speaks of them.
enum FlowFields {
    static func json(_ flow: FlowRecord, yaml: String? = nil) -> JSONValue {
        let value: JSONValue = [
            "account": .string(flow.account),
            "flow": .string(flow.flow),
            "state": .string(flow.state.rawValue),
            "newest": .count(flow.newest),
            "published": flow.published.map { .count($0) } ?? .null,
            "updated": .time(flow.updated),
        ]
        guard let yaml, case .object(let members) = value else { return value }
        return .object(members + [.init("yaml", .string(yaml))])
    }

    static func json(_ version: FlowVersionRecord) -> JSONValue {
        [
            "version": .count(version.version),
            "yaml": .string(version.yaml),
            "policy": .string(version.policy),
            "note": .string(version.note),
            "created": .time(version.created),
            "published_at": .time(version.publishedAt),
            "published_by": .text(version.publishedBy),
        ]
    }

    static func json(_ problem: SourceProblem) -> JSONValue {
        [
            "severity": "error",
            "line": .count(problem.position.line),
            "column": .count(problem.position.column),
            "message": .string(problem.message),
            "path": .string(problem.path),
            "suggestion": .text(problem.suggestion),
        ]
    }

    static func json(_ finding: Finding) -> JSONValue {
        [
            "severity": .string(finding.severity.rawValue),
            "code": .string(finding.code),
            "step": .text(finding.step),
            "line": finding.position.map { .count($0.line) } ?? .null,
            "column": finding.position.map { .count($0.column) } ?? .null,
            "message": .string(finding.message),
            "reach": .text(finding.reach?.rawValue),
        ]
    }

    static func json(_ line: SimulatedLine) -> JSONValue {
        [
            "time": .time(line.time),
            "local": .string(line.local),
            "kind": .string(line.kind.rawValue),
            "flow": .text(line.flow),
            "step": .text(line.step),
            "text": .string(line.text),
            "reason": .string(line.reason),
        ]
    }

    static func json(_ change: FlowChange) -> JSONValue {
        [
            "kind": .string(change.kind.rawValue),
            "step": .text(change.step),
            "position": change.position.map { .count($0) } ?? .null,
            "fields": .array(change.fields.map { .string($0) }),
            "structural": .bool(change.isStructural),
            "text": .string(change.description),
        ]
    }
}
