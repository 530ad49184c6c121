#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// A JSON value as it comes from the server, or goes there.
package enum JSON: Sendable, Hashable, Codable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSON])
    case object([String: JSON])

    /// - Throws: ``ClientError/notJSON`` where the bytes are not one JSON value.
    package init(parsing bytes: some Collection<UInt8>) throws(ClientError) {
        do { self = try JSONDecoder().decode(JSON.self, from: Data(bytes)) } catch {
            let start = String(decoding: bytes.prefix(120), as: UTF8.self)
            throw .notJSON(start: start)
        }
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int64.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSON].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSON].self))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }

    /// One line, members in alphabetical order, slashes as they are.
    package var bytes: [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Numbers that JSON cannot say never enter: what is parsed is finite, what is built here is whole.
        guard let data = try? encoder.encode(self) else {
            preconditionFailure("a number that is not finite")
        }
        return Array(data)
    }

    /// As ``bytes``; what a terminal would obey is escaped, which is the same to a parser.
    package var text: String { TerminalText.escaped(String(decoding: bytes, as: UTF8.self)) }
}

extension JSON {
    /// The member of that name; null where there is none.
    package subscript(name: String) -> JSON {
        if case .object(let members) = self { members[name] ?? .null } else { .null }
    }

    package var string: String? { if case .string(let value) = self { value } else { nil } }
    package var integer: Int64? { if case .integer(let value) = self { value } else { nil } }
    package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    package var array: [JSON] { if case .array(let value) = self { value } else { [] } }
    package var members: [String: JSON] {
        if case .object(let value) = self { value } else { [:] }
    }

    /// The value in a table's cell: texts bare, nothing for null.
    package var cell: String {
        switch self {
        case .null: ""
        case .string(let value): value
        case .array(let values) where values.allSatisfy({ $0.string != nil }):
            values.compactMap(\.string).joined(separator: ",")
        default: text
        }
    }

    /// An object without the members that are null.
    package static func of(_ members: KeyValuePairs<String, JSON>) -> JSON {
        .object(
            Dictionary(members.filter { $0.value != .null }.map { ($0.key, $0.value) }) { $1 }
        )
    }

    package static func text(_ value: String?) -> JSON { value.map { .string($0) } ?? .null }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int64) { self = .integer(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
}
