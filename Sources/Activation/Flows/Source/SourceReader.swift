import BelfryCore
import Yams

/// Reads values out of a YAML tree and keeps every mistake with its place, so that an author sees all of them at once.
struct SourceReader {
    private(set) var problems: [SourceProblem] = []
    /// Where each value stands: `steps[2].after` -> 14:12.
    private(set) var positions: [String: SourcePosition] = [:]

    /// By path of a mapping: the keys that a misspelt one was probably meant for. They are not reported as missing too.
    private var meant: [String: Set<String>] = [:]

    /// Reports those of the required keys that are not there.
    mutating func require(
        _ keys: [String],
        _ members: [String: Node],
        _ node: Node,
        _ path: String
    ) {
        guard case .mapping = node else { return }
        for key in keys where members[key] == nil && !isMeant([key], path) {
            report(node, path, "'\(key)' is missing")
        }
    }

    func isMeant(_ keys: [String], _ path: String) -> Bool {
        meant[path].map { !$0.isDisjoint(with: keys) } ?? false
    }

    mutating func report(
        _ node: Node,
        _ path: String,
        _ message: String,
        suggestion: String? = nil
    ) {
        // A broken file of a quarter megabyte could have as many mistakes as bytes.
        guard problems.count < 100 else { return }
        problems.append(
            SourceProblem(
                position: SourcePosition(node),
                path: path,
                message: message,
                suggestion: suggestion
            )
        )
    }

    /// The members of a mapping by name; unknown ones are reported.
    mutating func members(_ node: Node, _ path: String, known: [String]) -> [String: Node] {
        guard case .mapping(let mapping) = note(node, path) else {
            report(node, path, "has to be a mapping with \(known.quoted)")
            return [:]
        }
        var members: [String: Node] = [:]
        for (key, value) in mapping {
            guard case .scalar(let scalar) = key else {
                report(key, path, "keys have to be plain words")
                continue
            }
            let name = scalar.string
            let inner = path.isEmpty ? name : "\(path).\(name)"
            guard known.contains(name) else {
                let nearest = Suggestion.nearest(to: name, among: known)
                if let nearest { meant[path, default: []].insert(nearest) }
                let choice = nearest == nil ? "; known are \(known.quoted)" : ""
                report(key, path, "unknown key '\(name.shortened)'\(choice)", suggestion: nearest)
                continue
            }
            members[name] = note(value, inner)
        }
        return members
    }

    /// The members of a mapping whose keys the author chooses.
    mutating func freeMembers(_ node: Node, _ path: String) -> [(name: String, node: Node)] {
        guard case .mapping(let mapping) = note(node, path) else {
            report(node, path, "has to be a mapping")
            return []
        }
        return mapping.compactMap { key, value in
            guard case .scalar(let scalar) = key else {
                report(key, path, "keys have to be plain words")
                return nil
            }
            return (scalar.string, note(value, "\(path).\(scalar.string)"))
        }
    }

    mutating func list(_ node: Node, _ path: String) -> [Node] {
        guard case .sequence(let sequence) = note(node, path) else {
            report(node, path, "has to be a list")
            return []
        }
        return Array(sequence)
    }

    /// A single value or a list of them.
    mutating func texts(_ node: Node, _ path: String, limit: Int) -> [String] {
        let nodes: [Node]
        if case .sequence(let sequence) = node { nodes = Array(sequence) } else { nodes = [node] }
        if nodes.count > limit {
            report(node, path, "has \(nodes.count) entries; at most \(limit) are allowed")
        }
        return nodes.prefix(limit).enumerated().compactMap { index, entry in
            text(entry, nodes.count > 1 ? "\(path)[\(index)]" : path, limit: 200)
        }
    }

    /// A text that is not empty, of at most so many characters.
    mutating func text(_ node: Node, _ path: String, limit: Int? = nil) -> String? {
        guard case .scalar(let scalar) = note(node, path) else {
            report(node, path, "has to be a single value")
            return nil
        }
        guard !isNull(scalar), !scalar.string.trimmed.isEmpty else {
            report(node, path, "is empty")
            return nil
        }
        if let limit, scalar.string.count > limit {
            report(
                node,
                path,
                "is \(scalar.string.count) characters long; at most \(limit) are allowed"
            )
            return nil
        }
        return scalar.string
    }

    /// A name for ids and addresses.
    mutating func key(_ node: Node, _ path: String) -> String? {
        guard let text = text(node, path, limit: FlowLimits.keyLength) else { return nil }
        guard FlowKey.isValid(text) else {
            report(
                node,
                path,
                "'\(text.shortened)' may only have a-z, 0-9, '-' and '_', and has to begin with a letter or digit"
            )
            return nil
        }
        return text
    }

    mutating func choice<T: RawRepresentable & CaseIterable>(
        _ node: Node,
        _ path: String,
        _: T.Type
    )
        -> T? where T.RawValue == String
    {
        guard let text = word(node, path, T.allCases.map(\.rawValue)) else { return nil }
        return T(rawValue: text)
    }

    /// One of some words.
    mutating func word(_ node: Node, _ path: String, _ words: [String]) -> String? {
        guard let text = text(node, path) else { return nil }
        guard words.contains(text) else {
            report(
                node,
                path,
                "'\(text.shortened)' is none of \(words.quoted)",
                suggestion: Suggestion.nearest(to: text, among: words)
            )
            return nil
        }
        return text
    }

    mutating func flag(_ node: Node, _ path: String) -> Bool? {
        word(node, path, ["true", "false"]).map { $0 == "true" }
    }

    mutating func integer(_ node: Node, _ path: String, in range: ClosedRange<Int>) -> Int? {
        guard let text = text(node, path) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            report(
                node,
                path,
                "'\(text.shortened)' is no whole number from \(range.lowerBound) to \(range.upperBound)"
            )
            return nil
        }
        return number
    }

    mutating func span(
        _ node: Node,
        _ path: String,
        atLeast: Duration = .zero,
        atMost: Duration = FlowLimits.delay
    ) -> Duration? {
        guard let text = text(node, path) else { return nil }
        guard let span = DurationText.parse(text) else {
            report(node, path, "'\(text.shortened)' is no span of time; write 5s, 90m, 2h30m or 3d")
            return nil
        }
        guard (atLeast...atMost).contains(span) else {
            let limits = "\(DurationText.text(atLeast)) to \(DurationText.text(atMost))"
            report(node, path, "'\(text)' is out of range; \(limits) is allowed")
            return nil
        }
        return span
    }

    mutating func localTime(_ node: Node, _ path: String) -> LocalTime? {
        guard let text = text(node, path) else { return nil }
        guard let time = LocalTime(text) else {
            report(node, path, "'\(text.shortened)' is no time of day; write \"09:30\"")
            return nil
        }
        return time
    }

    /// Keeps where the value stands.
    private mutating func note(_ node: Node, _ path: String) -> Node {
        positions[path] = SourcePosition(node)
        return node
    }

    private func isNull(_ scalar: Node.Scalar) -> Bool {
        scalar.style == .plain && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }
}

extension SourcePosition {
    init(_ node: Node) {
        self.init(line: node.mark?.line ?? 1, column: node.mark?.column ?? 1)
    }
}

extension [String] {
    /// `'a', 'b' and 'c'`.
    var quoted: String {
        let words = map { "'\($0)'" }
        guard let last = words.last, words.count > 1 else { return words.first ?? "" }
        return words.dropLast().joined(separator: ", ") + " and " + last
    }
}

extension String {
    /// For messages: nobody wants ten kilobytes of a wrong value.
    var shortened: String { count > 60 ? prefix(57) + "…" : self }
}

/// Names that stand in push ids, addresses and file names.
package enum FlowKey {
    package static func isValid(_ text: String) -> Bool {
        let bytes = text.utf8
        guard (1...FlowLimits.keyLength).contains(bytes.count), let first = bytes.first,
            isLetterOrDigit(first)
        else { return false }
        return bytes.allSatisfy {
            isLetterOrDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
        }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
