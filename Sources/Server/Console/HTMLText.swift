import Mustache

/// Makes text harmless in HTML, in attributes too.
///
/// The template library escapes by `Character`, so that a quote with a combining mark behind it stays a quote and ends an
/// attribute. This goes by scalars.
enum HTMLText {
    static func escape(_ text: String) -> String {
        var result = ""
        result.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "&": result += "&amp;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            // NUL and other controls are parse errors in HTML; bidirectional overrides would show an id as another one.
            case "\u{0}"..."\u{8}", "\u{B}"..."\u{C}", "\u{E}"..."\u{1F}", "\u{7F}",
                "\u{202A}"..."\u{202E}", "\u{2066}"..."\u{2069}":
                result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// A path segment or query value: everything but unreserved characters becomes `%XX`.
    static func percentEncode(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF")
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"), UInt8(ascii: "~"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                result.append("%")
                result.append(digits[Int(byte >> 4)])
                result.append(digits[Int(byte & 15)])
            }
        }
        return result
    }
}

/// ``HTMLText`` as the escaping of templates that say `CONTENT_TYPE:BELFRY`.
struct BelfryContent: MustacheContentType {
    func escapeText(_ text: String) -> String { HTMLText.escape(text) }
}
