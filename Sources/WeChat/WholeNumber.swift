import BelfryCore

extension JSONValue {
    /// A whole number, also one written as text: WeChat does both.
    var wholeNumber: Int64? { integer ?? string.flatMap { Int64($0) } }

    /// An id of up to 64 bits as text, every digit kept.
    var idText: String? {
        switch self {
        case .integer(let id): String(id)
        case .unsigned(let id): String(id)
        case .string(let text) where !text.isEmpty: text
        default: nil
        }
    }
}
