import Yams

extension SourceReader {
    mutating func stepMessage(_ node: Node, _ members: [String: Node], _ path: String)
        -> FlowMessage?
    {
        let types = MessageShape.customerTypes.filter { members[$0] != nil }
        guard types.count == 1, let type = types.first, let value = members[type],
            let shape = MessageShape.customerMessage(type)
        else {
            if types.isEmpty, isMeant(MessageShape.customerTypes, path) { return nil }
            report(
                node,
                path,
                types.isEmpty
                    ? "says no message; name one of \(MessageShape.customerTypes.quoted)"
                    : "says more than one message: \(types.quoted)"
            )
            return nil
        }
        var message = message(type, shape, value, "\(path).\(type)")
        if let agent = members["customservice"],
            let name = text(agent, "\(path).customservice", limit: 100)
        {
            let account = MessageValue.object([.init("kf_account", .string(name))])
            message?.extras.append(.init("customservice", account))
        }
        if let mark = members["ai_generated"], flag(mark, "\(path).ai_generated") == true {
            let context = MessageValue.object([.init("is_ai_msg", .integer(1))])
            message?.extras.append(.init("aimsgcontext", context))
        }
        return message
    }

    /// The passive reply: `reply: {text: …}`.
    mutating func reply(_ node: Node, _ path: String) -> FlowMessage? {
        let members = members(node, path, known: MessageShape.replyTypes)
        guard case .mapping = node else { return nil }
        guard members.count == 1, let (type, value) = members.first,
            let shape = MessageShape.reply(type)
        else {
            if !members.isEmpty { report(node, path, "says more than one message") }
            return nil
        }
        let message = message(type, shape, value, "\(path).\(type)")
        if let file = message?.files.first {
            report(
                value,
                "\(path).\(type)",
                "'\(file.path)' would have to be uploaded first, and a reply is sent at once; name its media_id"
            )
        }
        return message
    }

    private mutating func message(
        _ type: String,
        _ shape: MessageShape,
        _ node: Node,
        _ path: String
    ) -> FlowMessage? {
        let before = problems.count
        if type == "text", case .scalar = node {
            guard let content = text(node, path) else { return nil }
            let message = FlowMessage.text(content)
            checkLimits(of: message, node, path)
            return problems.count == before ? message : nil
        }
        if let article = shortNews(type, node) {
            let entry = object(
                MessageShape(members: shape.members[0].list?.members ?? []),
                article,
                path
            )
            guard problems.count == before else { return nil }
            let message = FlowMessage(
                type: type,
                body: .object([.init("articles", .array([entry.body]))])
            )
            checkLimits(of: message, node, path)
            return problems.count == before ? message : nil
        }
        let object = object(shape, node, path)
        guard problems.count == before else { return nil }
        let message = FlowMessage(type: type, body: object.body, files: object.files)
        checkLimits(of: message, node, path)
        return problems.count == before ? message : nil
    }

    /// `news: {title: …, url: …}` for the one article that is allowed.
    private func shortNews(_ type: String, _ node: Node) -> Node? {
        guard type == "news", case .mapping(let mapping) = node,
            !mapping.contains(where: { $0.key.scalar?.string == "articles" })
        else { return nil }
        return node
    }

    private mutating func object(_ shape: MessageShape, _ node: Node, _ path: String) -> (
        body: MessageValue, files: [MessageFile]
    ) {
        let names = shape.members.flatMap { [$0.name, $0.fileMember].compactMap(\.self) }
        let members = members(node, path, known: names)
        guard case .mapping = node else { return (.object([]), []) }
        var body: [MessageValue.Member] = []
        var files: [MessageFile] = []
        for member in shape.members {
            let place = "\(path).\(member.name)"
            if let fileMember = member.fileMember, let file = members[fileMember] {
                if members[member.name] != nil {
                    report(file, "\(path).\(fileMember)", "stands beside '\(member.name)'")
                }
                if let name = mediaPath(file, "\(path).\(fileMember)") {
                    let kind = member.fileKind ?? ""
                    files.append(MessageFile(member: member.name, kind: kind, path: name))
                }
            } else if let value = members[member.name] {
                if let list = member.list {
                    body.append(.init(member.name, entries(list, value, place)))
                } else if let text = text(value, place) {
                    body.append(.init(member.name, .string(text)))
                }
            } else if member.isRequired {
                let or = member.fileMember.map { " (or '\($0)')" } ?? ""
                report(node, path, "'\(member.name)'\(or) is missing")
            }
        }
        return (.object(body), files)
    }

    private mutating func entries(
        _ list: (members: [MessageShape.Member], count: ClosedRange<Int>),
        _ node: Node,
        _ path: String
    ) -> MessageValue {
        let nodes = self.list(node, path)
        if case .sequence = node, !list.count.contains(nodes.count) {
            report(node, path, "has \(nodes.count) entries; \(list.count.words) allowed")
        }
        let shape = MessageShape(members: list.members)
        return .array(
            nodes.prefix(list.count.upperBound).enumerated().map { index, entry in
                object(shape, entry, "\(path)[\(index)]").body
            }
        )
    }

    /// A path inside the account's media folder: nobody may name files outside of it.
    private mutating func mediaPath(_ node: Node, _ path: String) -> String? {
        guard let name = text(node, path, limit: 200) else { return nil }
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        let isControl = name.unicodeScalars.contains { $0.value < 0x20 || $0 == "\\" }
        guard !isControl, parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }) else {
            report(node, path, "'\(name.shortened)' is no path inside the media folder")
            return nil
        }
        return name
    }

    private mutating func checkLimits(of message: FlowMessage, _ node: Node, _ path: String) {
        if let problem = MessageShape.authoringProblem(of: message) { report(node, path, problem) }
    }

    /// Any tree as JSON: scalars stay text, as everything in a template message is.
    ///
    /// - Parameter room: how many levels it may still nest; far more than any message needs, far less than a stack holds.
    mutating func json(_ node: Node, _ path: String, room: Int = 16) -> MessageValue {
        if room == 0, node.scalar == nil {
            report(node, path, "is nested too deeply")
            return .string("")
        }
        switch node {
        case .scalar(let scalar): return .string(scalar.string)
        case .sequence(let sequence):
            return .array(
                sequence.enumerated().map { json($1, "\(path)[\($0)]", room: room - 1) }
            )
        case .mapping:
            return .object(
                freeMembers(node, path).map { name, value in
                    .init(name, json(value, "\(path).\(name)", room: room - 1))
                }
            )
        case .alias:
            report(node, path, "aliases (*) are not supported; write it out")
            return .string("")
        }
    }
}
