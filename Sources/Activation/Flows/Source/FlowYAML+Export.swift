import BelfryCore
import Yams

extension FlowYAML {
    /// Writes a flow as YAML that reads back as the same flow. Comments and layout of an original file are not kept.
    package static func export(_ flow: Flow) -> String {
        do {
            return try Yams.serialize(node: flow.node, indent: 2, width: -1, allowUnicode: true)
        } catch {
            // The tree is built here from strings alone; the emitter only fails for lack of memory.
            preconditionFailure("a flow could not be written as YAML: \(error)")
        }
    }
}

extension Node {
    /// A mapping, without the members that have no value.
    fileprivate static func map(_ members: [(String, Node?)]) -> Node {
        Node(members.compactMap { key, node in node.map { (Node(key), $0) } })
    }

    fileprivate static func list(_ nodes: [Node]) -> Node { Node(nodes) }

    /// A text that cannot be taken for nothing or for a date.
    fileprivate static func text(_ text: String) -> Node {
        let isPlainWord =
            text.first.map { $0.isLetter } ?? false
            && !["null", "true", "false", "yes", "no", "on", "off", "y", "n"]
                .contains(text.lowercased())
        if text.contains("\n"), !text.contains("\r"), text.first?.isWhitespace == false {
            return Node(text, .implicit, .literal)
        }
        return Node(text, .implicit, isPlainWord ? .any : .doubleQuoted)
    }

    fileprivate static func span(_ span: Duration) -> Node { Node(DurationText.text(span)) }

    fileprivate static func word(_ word: String) -> Node { Node(word) }

    fileprivate static func texts(_ texts: [String]) -> Node? {
        switch texts.count {
        case 0: nil
        case 1: text(texts[0])
        default: Node(texts.map { text($0) }, .implicit, .flow)
        }
    }

    fileprivate init(_ value: MessageValue) {
        switch value {
        case .integer(let value): self = Node(String(value))
        case .string(let text): self = .text(text)
        case .array(let values): self = .list(values.map { Node($0) })
        case .object(let members):
            self = Node(members.map { (Node.text($0.key), Node($0.value)) })
        }
    }
}

extension Flow {
    fileprivate var node: Node {
        .map([
            ("key", .text(key)),
            ("name", name == key ? nil : .text(name)),
            ("trigger", trigger.node),
            ("time_zone", zone.map { .text($0.name) }),
            ("reentry", reentry == .usual(for: trigger) ? nil : .word(reentry.rawValue)),
            ("only_if", conditions.node),
            ("reply", reply.map { .map([($0.type, $0.node)]) }),
            (
                "quiet_hours",
                quietHours.map {
                    .map([("from", .text("\($0.from)")), ("to", .text("\($0.to)"))])
                }
            ),
            ("variables", variablesNode),
            ("track_links", tracksLinks ? nil : .word("false")),
            ("goal", goal?.node),
            ("steps", .list(steps.map(\.node))),
        ])
    }

    private var variablesNode: Node? {
        guard !variables.isEmpty else { return nil }
        return .map(
            variables.sorted { $0.key < $1.key }.map { name, standard in
                (name, standard.map { Node($0, .implicit, .doubleQuoted) } ?? Node("~"))
            }
        )
    }
}

extension FlowTrigger {
    fileprivate var node: Node {
        switch self {
        case .follow([]), .scan([]), .message([], _), .api: .word(name)
        case .follow(let scenes), .scan(let scenes):
            .map([(name, .map([("scene", .texts(scenes.map(\.text)))]))])
        case .message(let keywords, let match):
            .map([
                (
                    name,
                    .map([
                        ("keyword", .texts(keywords)),
                        ("match", match == .exact ? nil : .word(match.rawValue)),
                    ])
                )
            ])
        case .menu(let key): .map([(name, .text(key))])
        }
    }
}

extension FlowConditions {
    fileprivate var node: Node? {
        guard !isEmpty else { return nil }
        return .map([
            ("tag", .texts(tags)), ("not_tag", .texts(withoutTags)),
            ("scene", .texts(scenes.map(\.text))),
            ("answered", answered.map { .word($0 ? "true" : "false") }),
        ])
    }
}

extension FlowGoal {
    fileprivate var node: Node {
        let member: (String, Node?) =
            switch kind {
            case .answered: ("answered", .word("true"))
            case .click: ("click", .word("true"))
            case .tag(let tag): ("tag", .text(tag))
            case .event(let name): ("event", .text(name))
            }
        return .map([member, ("stops", stops ? nil : .word("false"))])
    }
}

extension FlowStep {
    fileprivate var node: Node {
        let when: [(String, Node?)] =
            switch timing {
            case .immediately: [("when", .word("immediately"))]
            case .after(let delay): [("after", .span(delay))]
            case .afterEntry(let delay): [("after_entry", .span(delay))]
            case .afterMessage(let delay, let wait):
                [
                    ("after_message", .span(delay)),
                    ("wait", wait == StepTiming.usualWait ? nil : .span(wait)),
                ]
            case .at(let time, let day):
                [("at", .text("\(time)")), ("day", day.map { Node(String($0)) })]
            }
        let isMarked = message.extras.contains { $0.key == "aimsgcontext" }
        let agent = message.extras.first { $0.key == "customservice" }?.value["kf_account"]?.text
        return .map(
            [("id", .text(id))] + when + [
                (message.type, message.node),
                ("customservice", agent.map { .text($0) }),
                ("ai_generated", isMarked ? .word("true") : nil),
                ("priority", priority == .normal ? nil : .word(priority.name)),
                ("merge", merge?.node),
                ("quiet_hours", ignoresQuietHours ? .word("ignore") : nil),
                ("only_if", conditions.node),
                ("otherwise", otherwise?.node),
                ("expires", expires.map { .span($0) }),
            ]
        )
    }
}

extension FlowMessage {
    fileprivate var node: Node {
        if type == "text", let content = body["content"]?.text { return .text(content) }
        guard case .object(let members) = body else { return Node(body) }
        let files = files.map { file in
            (file.member == "thumb_media_id" ? "thumb_file" : "file", Node.text(file.path))
        }
        return .map(members.map { ($0.key, Node($0.value)) } + files)
    }
}

extension MergeRule {
    fileprivate var node: Node {
        .map([
            ("key", .text(key)), ("grace", .span(grace)), ("max_wait", .span(maxWait)),
        ])
    }
}

extension Otherwise {
    fileprivate var node: Node {
        switch self {
        case .skip: .word("skip")
        case .hold(let span): .map([("hold", .span(span))])
        case .channel(let other): .map([(other.kind.rawValue, Node(other.body))])
        }
    }
}
