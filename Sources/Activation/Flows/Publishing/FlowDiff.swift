import BelfryCore

/// What differs between two versions of a flow.
package struct FlowDiff: Sendable, Hashable {
    /// In the order of the newer version; removed steps last.
    package var changes: [FlowChange]

    package init(from old: Flow, to new: Flow) {
        changes = Self.flowChanges(old, new) + Self.stepChanges(old, new)
    }

    package var isEmpty: Bool { changes.isEmpty }

    /// Whether people inside the old version would go another way, not only read other texts.
    package var changesStructure: Bool { changes.contains { $0.isStructural } }

    private static func flowChanges(_ old: Flow, _ new: Flow) -> [FlowChange] {
        let fields: [(String, Bool, structural: Bool)] = [
            ("name", old.name != new.name, false),
            ("trigger", old.trigger != new.trigger, true),
            ("time_zone", old.zone != new.zone, true),
            ("reentry", old.reentry != new.reentry, true),
            ("only_if", old.conditions != new.conditions, true),
            ("reply", old.reply != new.reply, false),
            ("quiet_hours", old.quietHours != new.quietHours, false),
            ("variables", old.variables != new.variables, false),
            ("track_links", old.tracksLinks != new.tracksLinks, false),
            ("goal", old.goal != new.goal, false),
        ]
        return fields.filter { $0.1 }.map {
            FlowChange(kind: .flow, fields: [$0.0], isStructural: $0.structural)
        }
    }

    private static func stepChanges(_ old: Flow, _ new: Flow) -> [FlowChange] {
        let oldSteps = Dictionary(old.steps.map { ($0.id, $0) }) { first, _ in first }
        let newIDs = Set(new.steps.map(\.id))
        let stayed = unmoved(old.steps.map(\.id).filter(newIDs.contains), new.steps.map(\.id))
        var changes: [FlowChange] = []
        for (index, step) in new.steps.enumerated() {
            guard let before = oldSteps[step.id] else {
                changes.append(
                    FlowChange(kind: .added, step: step.id, position: index, isStructural: true)
                )
                continue
            }
            if !stayed.contains(step.id) {
                changes.append(
                    FlowChange(kind: .moved, step: step.id, position: index, isStructural: true)
                )
            }
            let fields = changedFields(before, step)
            if !fields.isEmpty {
                changes.append(
                    FlowChange(
                        kind: .changed,
                        step: step.id,
                        position: index,
                        fields: fields,
                        isStructural: before.timing != step.timing
                    )
                )
            }
        }
        for step in old.steps where !newIDs.contains(step.id) {
            changes.append(FlowChange(kind: .removed, step: step.id, isStructural: true))
        }
        return changes
    }

    private static func changedFields(_ old: FlowStep, _ new: FlowStep) -> [String] {
        let fields: [(String, Bool)] = [
            ("when", old.timing != new.timing),
            ("message", old.message != new.message),
            ("only_if", old.conditions != new.conditions),
            ("priority", old.priority != new.priority),
            ("merge", old.merge != new.merge),
            ("quiet_hours", old.ignoresQuietHours != new.ignoresQuietHours),
            ("otherwise", old.otherwise != new.otherwise),
            ("expires", old.expires != new.expires),
        ]
        return fields.filter { $0.1 }.map(\.0)
    }

    /// The most steps that keep their order among themselves: the longest increasing run of old places, in the new order.
    private static func unmoved(_ old: [String], _ new: [String]) -> Set<String> {
        let places = Dictionary(old.enumerated().map { ($1, $0) }) { first, _ in first }
        let common = new.filter { places[$0] != nil }
        var best: [[String]] = []
        for id in common {
            let longest =
                best.filter { run in
                    guard let last = run.last else { return true }
                    return (places[last] ?? 0) < (places[id] ?? 0)
                }
                .max { $0.count < $1.count } ?? []
            best.append(longest + [id])
        }
        return Set(best.max { $0.count < $1.count } ?? [])
    }
}

/// One difference between two versions of a flow.
package struct FlowChange: Sendable, Hashable, Codable, CustomStringConvertible {
    package var kind: Kind
    /// `nil` for the flow as a whole.
    package var step: String?
    /// Where the step stands in the newer version, from 0; `nil` where it is gone.
    package var position: Int?
    /// The keys that differ.
    package var fields: [String]
    /// Structure (steps, order, times, entry) is pinned for people inside; content changes for everybody.
    package var isStructural: Bool

    package enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        case flow
        case added
        case removed
        case moved
        case changed
    }

    package init(
        kind: Kind,
        step: String? = nil,
        position: Int? = nil,
        fields: [String] = [],
        isStructural: Bool
    ) {
        self.kind = kind
        self.step = step
        self.position = position
        self.fields = fields
        self.isStructural = isStructural
    }

    package var description: String {
        let what = isStructural ? "structure" : "content"
        let keys = fields.joined(separator: ", ")
        let place = position.map { " at place \($0 + 1)" } ?? ""
        return switch kind {
        case .flow: "~ flow: \(keys) (\(what))"
        case .added: "+ step \(step ?? "")\(place) (\(what))"
        case .removed: "- step \(step ?? "") (\(what))"
        case .moved: "> step \(step ?? "") moved\(place.replacing(" at", with: " to")) (\(what))"
        case .changed: "~ step \(step ?? ""): \(keys) (\(what))"
        }
    }
}
