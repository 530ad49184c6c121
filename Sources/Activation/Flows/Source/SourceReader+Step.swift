import BelfryCore
import Yams

extension SourceReader {
    private static let timingKeys = [
        "when", "after", "after_entry", "after_message", "wait", "at", "day",
    ]
    private static let howKeys = [
        "priority", "merge", "quiet_hours", "otherwise", "expires", "only_if", "customservice",
        "ai_generated",
    ]

    /// One step: its id, when, what (a key that names the type of message) and how.
    mutating func step(_ node: Node, _ path: String, isFirst: Bool) -> FlowStep? {
        let known = ["id"] + Self.timingKeys + MessageShape.customerTypes + Self.howKeys
        let members = members(node, path, known: known)
        guard case .mapping = node else { return nil }
        require(["id"], members, node, path)
        let id = members["id"].flatMap { self.key($0, "\(path).id") }
        let timing = timing(node, members, path)
        let message = stepMessage(node, members, path)
        let conditions = members["only_if"].map {
            self.conditions($0, "\(path).only_if", isEntry: false)
        }
        let priority = members["priority"]
            .flatMap { word($0, "\(path).priority", Priority.allCases.map(\.name)) }
        let merge = members["merge"].flatMap { mergeRule($0, "\(path).merge") }
        let quiet = members["quiet_hours"]
            .flatMap { word($0, "\(path).quiet_hours", ["respect", "ignore"]) }
        let otherwise = members["otherwise"].flatMap { self.otherwise($0, "\(path).otherwise") }
        let expires = members["expires"]
            .flatMap { span($0, "\(path).expires", atLeast: .seconds(1)) }
        guard let id, let timing, let message else { return nil }
        return FlowStep(
            id: id,
            timing: timing,
            message: message,
            conditions: conditions ?? FlowConditions(),
            priority: priority.flatMap { Priority(name: $0) } ?? .normal,
            merge: merge,
            ignoresQuietHours: quiet == "ignore",
            otherwise: otherwise,
            expires: expires
        )
    }

    private mutating func timing(_ node: Node, _ members: [String: Node], _ path: String)
        -> StepTiming?
    {
        let moments = ["when", "after", "after_entry", "after_message", "at"]
        let named = moments.filter { members[$0] != nil }
        guard named.count == 1, let kind = named.first, let value = members[kind] else {
            if named.isEmpty, isMeant(moments, path) { return nil }
            report(
                node,
                path,
                named.isEmpty
                    ? "says no moment; write when: immediately, after: 5s, after_entry: 1m, after_message: 2h or at: \"09:30\""
                    : "says more than one moment: \(named.quoted)"
            )
            return nil
        }
        refuse("wait", unless: "after_message", kind, members, path)
        refuse("day", unless: "at", kind, members, path)
        let place = "\(path).\(kind)"
        switch kind {
        case "when": return word(value, place, ["immediately"]).map { _ in .immediately }
        case "after": return span(value, place).map { .after($0) }
        case "after_entry": return span(value, place).map { .afterEntry($0) }
        case "after_message":
            let wait = members["wait"].flatMap { span($0, "\(path).wait", atLeast: .seconds(1)) }
            return span(value, place).map {
                .afterMessage($0, wait: wait ?? StepTiming.usualWait)
            }
        default:
            let day = members["day"].flatMap { integer($0, "\(path).day", in: 0...FlowLimits.days) }
            guard let time = localTime(value, place) else { return nil }
            guard time.minutes < 1440 else {
                report(value, place, "24:00 is 00:00 of the next day; write that")
                return nil
            }
            return .at(time, day: day)
        }
    }

    private mutating func refuse(
        _ key: String,
        unless owner: String,
        _ kind: String,
        _ members: [String: Node],
        _ path: String
    ) {
        guard let node = members[key], kind != owner else { return }
        report(node, "\(path).\(key)", "'\(key)' only goes with '\(owner)'")
    }

    private mutating func mergeRule(_ node: Node, _ path: String) -> MergeRule? {
        let members = members(node, path, known: ["key", "grace", "max_wait"])
        guard case .mapping = node else { return nil }
        require(["key"], members, node, path)
        let key = members["key"].flatMap { self.key($0, "\(path).key") }
        // The packed form of a push keeps these in 32 bits of milliseconds: 49 days.
        let longest = Duration.days(49)
        let grace = members["grace"].flatMap { span($0, "\(path).grace", atMost: longest) }
        let wait = members["max_wait"].flatMap { span($0, "\(path).max_wait", atMost: longest) }
        guard let key else { return nil }
        let rule = MergeRule(
            key: key,
            grace: grace ?? .seconds(10),
            maxWait: wait ?? .minutes(1),
            // Only the newest is sent; the others are kept so that their flows go on.
            mode: .collect
        )
        if rule.grace > rule.maxWait {
            report(node, path, "'grace' is longer than 'max_wait'")
        }
        return rule
    }

    private mutating func otherwise(_ node: Node, _ path: String) -> Otherwise? {
        if case .scalar = node {
            return word(node, path, ["skip"]).map { _ in .skip }
        }
        let kinds = ["hold"] + OtherChannel.Kind.allCases.map(\.rawValue)
        let members = members(node, path, known: kinds)
        guard case .mapping = node else { return nil }
        guard members.count == 1, let (kind, value) = members.first else {
            if !members.isEmpty { report(node, path, "has to name one of \(kinds.quoted)") }
            return nil
        }
        let place = "\(path).\(kind)"
        if kind == "hold" {
            return span(value, place, atLeast: .seconds(1)).map { .hold($0) }
        }
        guard let channel = OtherChannel.Kind(rawValue: kind) else { return nil }
        return otherChannel(channel, value, place)
    }

    private mutating func otherChannel(_ kind: OtherChannel.Kind, _ node: Node, _ path: String)
        -> Otherwise?
    {
        guard case .mapping = node else {
            report(node, path, "has to be a mapping")
            return nil
        }
        guard kind != .webhook else {
            return .channel(OtherChannel(kind, body: json(node, path)))
        }
        let before = problems.count
        let link = kind == .template ? "url" : "page"
        let members = members(node, path, known: ["template_id", link, "miniprogram", "data"])
        require(["template_id", "data"], members, node, path)
        let texts = ["template_id", link].compactMap { name in
            members[name].flatMap { text($0, "\(path).\(name)") }
                .map { MessageValue.Member(name, .string($0)) }
        }
        let program = members["miniprogram"].map { miniProgram($0, "\(path).miniprogram") }
        let data = members["data"].map { templateData($0, "\(path).data") }
        let other = OtherChannel(kind, body: .object(texts + [program, data].compactMap(\.self)))
        guard problems.count == before else { return nil }
        if let problem = other.authoringProblem { report(node, path, problem) }
        return .channel(other)
    }

    private mutating func miniProgram(_ node: Node, _ path: String) -> MessageValue.Member {
        let names = ["appid", "pagepath"]
        let members = members(node, path, known: names)
        require(names, members, node, path)
        let values = names.compactMap { name in
            members[name].flatMap { text($0, "\(path).\(name)") }
                .map { MessageValue.Member(name, .string($0)) }
        }
        return .init("miniprogram", .object(values))
    }

    /// The fields of a template: `thing1: words`, or as WeChat has it, `thing1: { value: words }`.
    private mutating func templateData(_ node: Node, _ path: String) -> MessageValue.Member {
        var fields: [MessageValue.Member] = []
        for (name, value) in freeMembers(node, path) {
            let place = "\(path).\(name)"
            var words = value
            if case .mapping = value {
                // WeChat has ignored the colour since 2023; templates that were written before may have one.
                let inner = members(value, place, known: ["value", "color"])
                require(["value"], inner, value, place)
                guard let own = inner["value"] else { continue }
                words = own
            }
            guard let text = text(words, place) else { continue }
            fields.append(.init(name, .object([.init("value", .string(text))])))
        }
        return .init("data", .object(fields))
    }
}
