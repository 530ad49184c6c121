import BelfryCore

/// Reads a JSON body into the same tree as an XML one.
enum JSONBody {
    static func parse(_ text: String) throws(CallbackError) -> BodyNode {
        let value: JSONValue
        do { value = try JSONValue(parsing: Array(text.utf8)) } catch {
            throw CallbackError(.malformed, "not JSON: \(error)")
        }
        guard case .object = value else { throw CallbackError(.malformed, "not a JSON object") }
        var nodes = 0
        return try node("xml", value, depth: 0, &nodes)
    }

    private static func node(_ name: String, _ value: JSONValue, depth: Int, _ nodes: inout Int)
        throws(CallbackError) -> BodyNode
    {
        nodes += 1
        guard depth < BodyTree.maxDepth, nodes <= BodyTree.maxNodes else {
            throw CallbackError(.tooDeep, "too many or too deeply nested members")
        }
        switch value {
        case .object(let members):
            var children: [BodyNode] = []
            for member in members {
                // An array stands for siblings of one name, as several <List> elements do.
                let values =
                    if case .array(let items) = member.value { items } else { [member.value] }
                for value in values {
                    children.append(try node(member.name, value, depth: depth + 1, &nodes))
                }
            }
            return BodyNode(name: name, children: children)
        case .array(let items):
            var children: [BodyNode] = []
            for item in items { children.append(try node(name, item, depth: depth + 1, &nodes)) }
            return BodyNode(name: name, children: children)
        case .string(let text): return BodyNode(name: name, text: text)
        case .integer(let number): return BodyNode(name: name, text: String(number))
        case .unsigned(let number): return BodyNode(name: name, text: String(number))
        case .number(let number): return BodyNode(name: name, text: String(number))
        case .bool(let flag): return BodyNode(name: name, text: flag ? "true" : "false")
        case .null: return BodyNode(name: name)
        }
    }
}
