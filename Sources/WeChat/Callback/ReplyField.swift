import BelfryCore

/// A part of an answer to WeChat, before it is XML or JSON.
indirect enum ReplyField {
    /// Left out where there is no value.
    case text(String, String?)
    case number(String, Int64)
    case nest(String, [ReplyField])
    /// In XML several elements of one name inside another; in JSON an array.
    case list(String, item: String, [[ReplyField]])

    static func xml(_ fields: [ReplyField]) -> String {
        var xml = XMLText()
        for field in fields { field.write(to: &xml) }
        return "<xml>\(xml.text)</xml>"
    }

    static func json(_ fields: [ReplyField]) -> JSONValue {
        .object(fields.compactMap(\.member))
    }

    private func write(to xml: inout XMLText) {
        switch self {
        case .text(let name, let value): xml.element(name, value)
        case .number(let name, let value): xml.number(name, value)
        case .nest(let name, let fields):
            xml.nest(name) { xml in for field in fields { field.write(to: &xml) } }
        case .list(let name, let item, let rows):
            xml.nest(name) { xml in
                for row in rows {
                    xml.nest(item) { xml in for field in row { field.write(to: &xml) } }
                }
            }
        }
    }

    private var member: JSONValue.Member? {
        switch self {
        case .text(let name, let value):
            value.map { JSONValue.Member(name, .string($0)) }
        case .number(let name, let value): JSONValue.Member(name, .integer(value))
        case .nest(let name, let fields): JSONValue.Member(name, Self.json(fields))
        case .list(let name, _, let rows):
            JSONValue.Member(name, .array(rows.map { Self.json($0) }))
        }
    }
}
