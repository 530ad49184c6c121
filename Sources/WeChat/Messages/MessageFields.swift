import BelfryCore

/// Reads the members of one JSON object by name, and remembers which were read, so that a misspelt one is an error.
struct MessageFields {
    private let path: String
    private let members: [JSONValue.Member]
    private var seen: Set<String> = []

    init(_ value: JSONValue, at path: String) throws(InvalidMessage) {
        guard case .object(let members) = value else {
            throw InvalidMessage(
                field: path.isEmpty ? "message" : path,
                problem: "must be an object"
            )
        }
        self.path = path
        self.members = members
    }

    /// Reads a whole message.
    init(parsing bytes: [UInt8]) throws(InvalidMessage) {
        let value: JSONValue
        do { value = try JSONValue(parsing: bytes) } catch {
            throw InvalidMessage(field: "message", problem: "\(error)")
        }
        try self.init(value, at: "")
    }

    /// The names of all members, in their order.
    var names: [String] { members.map(\.name) }

    mutating func text(_ name: String) throws(InvalidMessage) -> String {
        guard let text = try optionalText(name) else {
            throw InvalidMessage(field: full(name), problem: "is missing")
        }
        return text
    }

    mutating func optionalText(_ name: String) throws(InvalidMessage) -> String? {
        switch take(name) {
        case nil, .null: return nil
        case .string(let text): return text
        default: throw InvalidMessage(field: full(name), problem: "must be text")
        }
    }

    /// 0 or 1, as WeChat writes yes and no; `true` and `false` too.
    mutating func flag(_ name: String) throws(InvalidMessage) -> Bool {
        switch take(name) {
        case .bool(let flag): return flag
        case let value? where value.wholeNumber == 0: return false
        case let value? where value.wholeNumber == 1: return true
        default: throw InvalidMessage(field: full(name), problem: "must be 0 or 1")
        }
    }

    mutating func object(_ name: String) throws(InvalidMessage) -> MessageFields {
        guard let fields = try optionalObject(name) else {
            throw InvalidMessage(field: full(name), problem: "is missing")
        }
        return fields
    }

    mutating func optionalObject(_ name: String) throws(InvalidMessage) -> MessageFields? {
        switch take(name) {
        case nil, .null: return nil
        case let value?: return try MessageFields(value, at: full(name))
        }
    }

    mutating func array(_ name: String) throws(InvalidMessage) -> [MessageFields] {
        guard case .array(let items) = take(name) else {
            throw InvalidMessage(field: full(name), problem: "must be a list")
        }
        var fields: [MessageFields] = []
        for (index, item) in items.enumerated() {
            fields.append(try MessageFields(item, at: "\(full(name))[\(index)]"))
        }
        return fields
    }

    /// - Throws: where a member was never asked for.
    func finish() throws(InvalidMessage) {
        let unknown = members.map(\.name).filter { !seen.contains($0) }.sorted().first
        guard let unknown else { return }
        let hint = unknown == "touser" ? "is given by the recipient" : "is not known here"
        throw InvalidMessage(field: full(unknown), problem: hint)
    }

    private mutating func take(_ name: String) -> JSONValue? {
        seen.insert(name)
        return members.first { $0.name == name }?.value
    }

    private func full(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }
}
