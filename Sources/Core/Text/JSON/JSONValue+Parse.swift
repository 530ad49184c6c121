extension JSONValue {
    /// Parses exactly one JSON value.
    ///
    /// - Throws: ``JSONFault`` with the byte offset; also for invalid UTF-8, a key that occurs twice, and anything after the value.
    package init(parsing bytes: [UInt8]) throws(JSONFault) {
        if let offset = UTF8Check.firstFault(bytes.span) {
            throw JSONFault(offset: offset, problem: "not valid UTF-8")
        }
        var index = 0
        self = try JSONValue.value(bytes.span, &index, depth: 0)
        JSONText.skipSpace(bytes.span, &index)
        guard index == bytes.count else {
            throw JSONFault(offset: index, problem: "something follows the value")
        }
    }

    private static func value(_ bytes: Span<UInt8>, _ index: inout Int, depth: Int)
        throws(JSONFault) -> JSONValue
    {
        JSONText.skipSpace(bytes, &index)
        guard index < bytes.count else {
            throw JSONFault(offset: index, problem: "a value is missing")
        }
        guard depth <= JSONText.depthMax else {
            throw JSONFault(offset: index, problem: "nested deeper than \(JSONText.depthMax)")
        }
        switch bytes[index] {
        case UInt8(ascii: "\""):
            let (range, _) = try JSONText.string(bytes, &index)
            return .string(text(bytes, range))
        case UInt8(ascii: "{"): return try object(bytes, &index, depth: depth)
        case UInt8(ascii: "["):
            var items: [JSONValue] = []
            try JSONText.elements(bytes, &index) { index throws(JSONFault) in
                items.append(try value(bytes, &index, depth: depth + 1))
            }
            return .array(items)
        case UInt8(ascii: "t"):
            try JSONText.word("true", bytes, &index)
            return .bool(true)
        case UInt8(ascii: "f"):
            try JSONText.word("false", bytes, &index)
            return .bool(false)
        case UInt8(ascii: "n"):
            try JSONText.word("null", bytes, &index)
            return .null
        default: return try number(bytes, &index)
        }
    }

    private static func object(_ bytes: Span<UInt8>, _ index: inout Int, depth: Int)
        throws(JSONFault) -> JSONValue
    {
        var members: [Member] = []
        var names: Set<String> = []
        try JSONText.members(bytes, &index) { key, index throws(JSONFault) in
            let name = text(bytes, key.range)
            guard names.insert(name).inserted else {
                throw JSONFault(offset: key.range.lowerBound, problem: "the key occurs twice")
            }
            members.append(Member(name, try value(bytes, &index, depth: depth + 1)))
        }
        return .object(members)
    }

    private static func number(_ bytes: Span<UInt8>, _ index: inout Int) throws(JSONFault)
        -> JSONValue
    {
        let (range, isWhole) = try JSONText.number(bytes, &index)
        let text = text(bytes, range)
        if isWhole, let value = Int64(text) { return .integer(value) }
        if isWhole, let value = UInt64(text) { return .unsigned(value) }
        guard let value = Double(text), value.isFinite else {
            throw JSONFault(offset: range.lowerBound, problem: "the number is too large")
        }
        return .number(value)
    }

    private static func text(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
        String(decoding: JSONText.unescaped(bytes, range), as: UTF8.self)
    }
}

extension JSONValue {
    /// Parses a text that is known to be JSON; `nil` where it is not.
    package static func parse(_ text: String) -> JSONValue? {
        // Which byte is wrong does not matter to whoever asks this way.
        try? JSONValue(parsing: Array(text.utf8))
    }
}
