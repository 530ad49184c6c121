/// Writes the XML that WeChat expects in answers: text in CDATA, raw UTF-8, no white space between elements.
struct XMLText {
    private(set) var text = ""

    /// Leaves the element out where the value is `nil`.
    mutating func element(_ name: String, _ value: String?) {
        guard let value else { return }
        text += "<\(name)><![CDATA[\(Self.inside(value))]]></\(name)>"
    }

    mutating func number(_ name: String, _ value: Int64) { text += "<\(name)>\(value)</\(name)>" }

    mutating func nest(_ name: String, _ body: (inout XMLText) -> Void) {
        text += "<\(name)>"
        body(&self)
        text += "</\(name)>"
    }

    /// `]]>` would end the CDATA: it is cut in two. Characters that XML 1.0 does not allow are left out.
    private static func inside(_ value: String) -> String {
        var safe = ""
        for scalar in value.unicodeScalars where isAllowed(scalar) {
            if scalar == ">", safe.utf8.suffix(2).elementsEqual("]]".utf8) {
                safe += "]]><![CDATA["
            }
            safe.unicodeScalars.append(scalar)
        }
        return safe
    }

    private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09, 0x0A, 0x0D: true
        case 0..<0x20, 0xFFFE, 0xFFFF: false
        default: true
        }
    }
}
