/// Text that others wrote, such as names and messages, made harmless for a terminal.
package enum TerminalText {
    /// Writes what would move the cursor, colour the screen, begin a line or turn the direction of reading as JSON does: `\r`, `\u001B`.
    ///
    /// - Parameter keepingLines: ends of lines stay as they are.
    package static func escaped(_ text: String, keepingLines: Bool = false) -> String {
        func stays(_ scalar: Unicode.Scalar) -> Bool {
            !isHarmful(scalar) || keepingLines && scalar == "\n"
        }
        guard !text.unicodeScalars.allSatisfy(stays) else { return text }
        return text.unicodeScalars.reduce(into: "") { shown, scalar in
            if stays(scalar) {
                shown.unicodeScalars.append(scalar)
            } else {
                shown += escape(scalar)
            }
        }
    }

    private static func isHarmful(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        case .format:
            // Marks and overrides of the direction; joiners are part of emoji and of some languages.
            [0x061C, 0x200E, 0x200F].contains(scalar.value)
                || (0x202A...0x202E).contains(scalar.value)
                || (0x2066...0x2069).contains(scalar.value)
        default: false
        }
    }

    private static func escape(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\n": return "\\n"
        case "\r": return "\\r"
        case "\t": return "\\t"
        default:
            let digits = String(scalar.value, radix: 16, uppercase: true)
            return "\\u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
        }
    }
}
