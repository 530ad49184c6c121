/// Finds bytes that are not UTF-8, eight at a time while they are ASCII.
package enum UTF8Check {
    /// The offset of the first byte that starts no well-formed sequence (Unicode 15, table 3-7); `nil` if all is well.
    package static func firstFault(_ bytes: Span<UInt8>) -> Int? {
        bytes.withUnsafeBytes { buffer in
            var index = 0
            while index < buffer.count {
                while index + 8 <= buffer.count,
                    buffer.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                        & 0x8080_8080_8080_8080 == 0
                { index += 8 }
                guard index < buffer.count else { return nil }
                let length = sequence(buffer, index)
                if length == 0 { return index }
                index += length
            }
            return nil
        }
    }

    /// The length of the sequence that starts at `index`; 0 if it is malformed.
    private static func sequence(_ buffer: UnsafeRawBufferPointer, _ index: Int) -> Int {
        let first = buffer[index]
        if first < 0x80 { return 1 }
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch first {
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: length = 3
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: length = 4
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        default: return 0
        }
        guard index + length <= buffer.count, second.contains(buffer[index + 1]) else { return 0 }
        for offset in 2..<max(2, length) where buffer[index + offset] & 0xC0 != 0x80 { return 0 }
        return length
    }
}
