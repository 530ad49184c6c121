/// The name of a push, chosen by whoever causes it, so that saying the same thing twice changes nothing:
/// `flow/<account>/<flow>/<openid>`, `reminder/<topic>/<person>`, or the API caller's own id.
///
/// 1 to ``PushLimits/idBytes`` bytes of UTF-8.
package struct PushID: Sendable, Hashable, Codable, CustomStringConvertible,
    ExpressibleByStringLiteral
{
    package var text: String

    package init(_ text: String) { self.text = text }
    package init(stringLiteral value: String) { text = value }
    package var description: String { text }

    package init(from decoder: any Decoder) throws {
        text = try decoder.singleValueContainer().decode(String.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}
