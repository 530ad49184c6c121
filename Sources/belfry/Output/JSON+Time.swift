import BelfryClient

extension JSON {
    /// A time as people write it on the command line: whole milliseconds since 1970 go as a number, everything else as the text that it is. Null where there is none.
    static func time(_ text: String?) -> JSON {
        guard let text else { return .null }
        let isNumber = !text.isEmpty && text.utf8.allSatisfy { (48...57).contains($0) }
        return (isNumber ? Int64(text).map { .integer($0) } : nil) ?? .string(text)
    }
}
