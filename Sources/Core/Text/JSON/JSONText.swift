/// Why a text is not JSON, and where.
package struct JSONFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// In bytes from the start.
    package var offset: Int
    package var problem: String

    package init(offset: Int, problem: String) {
        self.offset = offset
        self.problem = problem
    }

    package var description: String { "\(problem), at byte \(offset)" }
}

/// Reads JSON (RFC 8259) straight from bytes: what the bulk path needs without a tree, and the tree for everything else.
///
/// The bytes must be valid UTF-8 (``UTF8Check``). Every function leaves `index` behind what it has read.
///
/// All of it is inlinable: the loop that reads bulk requests lives in another module.
package enum JSONText {
    /// Arrays and objects may be nested this deep; deeper input is an attack on the stack.
    package static let depthMax = 64

    @inlinable package static func skipSpace(_ bytes: Span<UInt8>, _ index: inout Int) {
        while index < bytes.count {
            switch bytes[index] {
            case 0x20, 0x09, 0x0A, 0x0D: index += 1
            default: return
            }
        }
    }

    @inlinable package static func expect(
        _ character: UInt8,
        _ bytes: Span<UInt8>,
        _ index: inout Int
    )
        throws(JSONFault)
    {
        guard index < bytes.count, bytes[index] == character else {
            throw JSONFault(
                offset: index,
                problem: "expected '\(Character(UnicodeScalar(character)))'"
            )
        }
        index += 1
    }

    /// Reads a string: the range between its quotes, and whether that range holds escapes.
    @inlinable package static func string(_ bytes: Span<UInt8>, _ index: inout Int)
        throws(JSONFault)
        -> (range: Range<Int>, escaped: Bool)
    {
        try expect(UInt8(ascii: "\""), bytes, &index)
        let start = index
        var escaped = false
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\"") {
                index += 1
                return (start..<index - 1, escaped)
            }
            if byte == UInt8(ascii: "\\") {
                escaped = true
                try escape(bytes, &index)
            } else if byte < 0x20 {
                throw JSONFault(offset: index, problem: "a control character must be escaped")
            } else {
                index += 1
            }
        }
        throw JSONFault(offset: start - 1, problem: "the string does not end")
    }

    @inlinable package static func escape(_ bytes: Span<UInt8>, _ index: inout Int)
        throws(JSONFault)
    {
        let start = index
        index += 1
        guard index < bytes.count else {
            throw JSONFault(offset: start, problem: "the string does not end")
        }
        switch bytes[index] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
            UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            index += 1
        case UInt8(ascii: "u"):
            guard let unit = hex(bytes, index + 1) else {
                throw JSONFault(offset: start, problem: "'\\u' needs four hexadecimal digits")
            }
            index += 5
            if (0xD800..<0xDC00).contains(unit) {
                guard index + 1 < bytes.count, bytes[index] == UInt8(ascii: "\\"),
                    bytes[index + 1] == UInt8(ascii: "u"), let low = hex(bytes, index + 2),
                    (0xDC00..<0xE000).contains(low)
                else { throw JSONFault(offset: start, problem: "half of a surrogate pair") }
                index += 6
            } else if (0xDC00..<0xE000).contains(unit) {
                throw JSONFault(offset: start, problem: "half of a surrogate pair")
            }
        default:
            throw JSONFault(offset: start, problem: "unknown escape")
        }
    }

    @inlinable package static func hex(_ bytes: Span<UInt8>, _ start: Int) -> UInt32? {
        guard start + 4 <= bytes.count else { return nil }
        var value: UInt32 = 0
        for offset in start..<start + 4 {
            guard let digit = hexDigit(bytes[offset]) else { return nil }
            value = value << 4 | UInt32(digit)
        }
        return value
    }

    @inlinable package static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 48...57: byte - 48
        case 65...70: byte - 55
        case 97...102: byte - 87
        default: nil
        }
    }

    /// The bytes that a string range stands for. The range must come from ``string(_:_:)``.
    @inlinable package static func unescaped(_ bytes: Span<UInt8>, _ range: Range<Int>) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(range.count)
        var index = range.lowerBound
        while index < range.upperBound {
            let byte = bytes[index]
            guard byte == UInt8(ascii: "\\") else {
                result.append(byte)
                index += 1
                continue
            }
            index += 2
            switch bytes[index - 1] {
            case UInt8(ascii: "b"): result.append(0x08)
            case UInt8(ascii: "f"): result.append(0x0C)
            case UInt8(ascii: "n"): result.append(0x0A)
            case UInt8(ascii: "r"): result.append(0x0D)
            case UInt8(ascii: "t"): result.append(0x09)
            case UInt8(ascii: "u"): appendScalar(bytes, &index, to: &result)
            case let other: result.append(other)
            }
        }
        return result
    }

    @inlinable package static func appendScalar(
        _ bytes: Span<UInt8>,
        _ index: inout Int,
        to result: inout [UInt8]
    ) {
        var value = hex(bytes, index) ?? 0xFFFD
        index += 4
        if (0xD800..<0xDC00).contains(value), let low = hex(bytes, index + 2) {
            value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
            index += 6
        }
        let scalar = Unicode.Scalar(value) ?? "\u{FFFD}"
        result.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    }

    /// Reads a number; the range of its digits.
    @inlinable package static func number(_ bytes: Span<UInt8>, _ index: inout Int)
        throws(JSONFault)
        -> (range: Range<Int>, isWhole: Bool)
    {
        let start = index
        var isWhole = true
        func digits() -> Int {
            let first = index
            while index < bytes.count, (48...57).contains(bytes[index]) { index += 1 }
            return index - first
        }
        func at(_ character: UInt8) -> Bool { index < bytes.count && bytes[index] == character }
        let fault = JSONFault(offset: start, problem: "not a number")
        if at(UInt8(ascii: "-")) { index += 1 }
        if at(UInt8(ascii: "0")) { index += 1 } else if digits() == 0 { throw fault }
        if at(UInt8(ascii: ".")) {
            isWhole = false
            index += 1
            if digits() == 0 { throw fault }
        }
        if at(UInt8(ascii: "e")) || at(UInt8(ascii: "E")) {
            isWhole = false
            index += 1
            if at(UInt8(ascii: "+")) || at(UInt8(ascii: "-")) { index += 1 }
            if digits() == 0 { throw fault }
        }
        return (start..<index, isWhole)
    }

    /// Skips one value of any kind, checking it on the way; the range it lies in.
    @inlinable @discardableResult
    package static func skipValue(_ bytes: Span<UInt8>, _ index: inout Int, depth: Int = 0)
        throws(JSONFault) -> Range<Int>
    {
        skipSpace(bytes, &index)
        let start = index
        guard index < bytes.count else {
            throw JSONFault(offset: index, problem: "a value is missing")
        }
        guard depth <= depthMax else {
            throw JSONFault(offset: index, problem: "nested deeper than \(depthMax)")
        }
        switch bytes[index] {
        case UInt8(ascii: "\""): _ = try string(bytes, &index)
        case UInt8(ascii: "{"):
            try members(bytes, &index) { (_, index) throws(JSONFault) in
                try skipValue(bytes, &index, depth: depth + 1)
            }
        case UInt8(ascii: "["):
            try elements(bytes, &index) { index throws(JSONFault) in
                try skipValue(bytes, &index, depth: depth + 1)
            }
        case UInt8(ascii: "t"): try word("true", bytes, &index)
        case UInt8(ascii: "f"): try word("false", bytes, &index)
        case UInt8(ascii: "n"): try word("null", bytes, &index)
        default: _ = try number(bytes, &index)
        }
        return start..<index
    }

    @inlinable package static func word(
        _ text: StaticString,
        _ bytes: Span<UInt8>,
        _ index: inout Int
    )
        throws(JSONFault)
    {
        let end = index + text.utf8CodeUnitCount
        guard end <= bytes.count, equals(bytes, index..<end, text) else {
            throw JSONFault(offset: index, problem: "expected '\(text)'")
        }
        index = end
    }

    /// Whether the bytes in `range` are exactly `text`.
    @inlinable package static func equals(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        _ text: StaticString
    ) -> Bool {
        guard range.count == text.utf8CodeUnitCount else { return false }
        return text.withUTF8Buffer { expected in
            for offset in 0..<expected.count
            where bytes[range.lowerBound + offset] != expected[offset] { return false }
            return true
        }
    }

    /// Reads an object, calling `body` at each value with the range and the escapedness of its key.
    @inlinable package static func members(
        _ bytes: Span<UInt8>,
        _ index: inout Int,
        _ body: ((range: Range<Int>, escaped: Bool), inout Int) throws(JSONFault) -> Void
    ) throws(JSONFault) {
        try expect(UInt8(ascii: "{"), bytes, &index)
        skipSpace(bytes, &index)
        if index < bytes.count, bytes[index] == UInt8(ascii: "}") {
            index += 1
            return
        }
        while true {
            skipSpace(bytes, &index)
            let key = try string(bytes, &index)
            skipSpace(bytes, &index)
            try expect(UInt8(ascii: ":"), bytes, &index)
            skipSpace(bytes, &index)
            try body(key, &index)
            skipSpace(bytes, &index)
            if index < bytes.count, bytes[index] == UInt8(ascii: ",") {
                index += 1
                continue
            }
            guard index < bytes.count, bytes[index] == UInt8(ascii: "}") else {
                throw JSONFault(offset: index, problem: "expected ',' or '}'")
            }
            index += 1
            return
        }
    }

    @inlinable package static func elements(
        _ bytes: Span<UInt8>,
        _ index: inout Int,
        _ body: (inout Int) throws(JSONFault) -> Void
    ) throws(JSONFault) {
        try expect(UInt8(ascii: "["), bytes, &index)
        skipSpace(bytes, &index)
        if index < bytes.count, bytes[index] == UInt8(ascii: "]") {
            index += 1
            return
        }
        while true {
            skipSpace(bytes, &index)
            try body(&index)
            skipSpace(bytes, &index)
            if index < bytes.count, bytes[index] == UInt8(ascii: ",") {
                index += 1
                continue
            }
            guard index < bytes.count, bytes[index] == UInt8(ascii: "]") else {
                throw JSONFault(offset: index, problem: "expected ',' or ']'")
            }
            index += 1
            return
        }
    }
}
