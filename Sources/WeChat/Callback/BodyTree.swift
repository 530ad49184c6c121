/// XML or JSON, as the operator chose in the WeChat console.
package enum BodyFormat: String, Sendable, Hashable {
    case xml
    case json
}

/// A node of a callback's body, whichever format it came in. A JSON array is a row of siblings with the same name, as in XML.
package struct BodyNode: Sendable, Hashable {
    package var name: String
    /// The text between the tags, untouched. Empty where there are children.
    package var text: String
    package var children: [BodyNode]

    package init(name: String, text: String = "", children: [BodyNode] = []) {
        self.name = name
        self.text = text
        self.children = children
    }

    package func child(_ name: String) -> BodyNode? { children.first { $0.name == name } }

    /// The text of a child; empty where there is none.
    package func text(_ name: String) -> String { child(name)?.text ?? "" }

    /// The text of a child; `nil` where there is none or it is empty.
    package func value(_ name: String) -> String? {
        guard let text = child(name)?.text, !text.isEmpty else { return nil }
        return text
    }

    package func all(_ name: String) -> [BodyNode] { children.filter { $0.name == name } }
}

/// A parsed body.
package struct BodyTree: Sendable {
    package var root: BodyNode
    package var format: BodyFormat

    /// Deeper than anything WeChat sends (5), shallow enough for any stack.
    static let maxDepth = 16
    static let maxNodes = 2_000

    package static func parse(_ body: [UInt8]) throws(CallbackError) -> BodyTree {
        guard let text = String(validating: body, as: UTF8.self) else {
            throw CallbackError(.invalidUTF8, "the body is not UTF-8")
        }
        switch body.first(where: { $0 != 0x20 && $0 != 0x0A && $0 != 0x0D && $0 != 0x09 }) {
        case UInt8(ascii: "<"):
            return BodyTree(root: try XMLBody.parse(body), format: .xml)
        case UInt8(ascii: "{"):
            return BodyTree(root: try JSONBody.parse(text), format: .json)
        default: throw CallbackError(.malformed, "the body is neither XML nor JSON")
        }
    }
}
