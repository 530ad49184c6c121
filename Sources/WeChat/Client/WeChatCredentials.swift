import BelfryCore

/// An account's appid and secret. Never shows the secret.
package struct WeChatCredentials: Sendable, Hashable, CustomStringConvertible {
    package var appID: String
    package var secret: String

    package init(appID: String, secret: String) {
        self.appID = appID
        self.secret = secret
    }

    package var description: String { "WeChatCredentials(\(appID))" }
}

/// Where the WeChat API answers, such as `https://api.weixin.qq.com`.
package struct WeChatBaseURL: Sendable, Hashable {
    package let text: String

    package static let official = WeChatBaseURL("https://api.weixin.qq.com")

    /// Trailing slashes are dropped.
    package init(_ text: String) {
        var text = text
        while text.hasSuffix("/") { text.removeLast() }
        self.text = text
    }

    func url(_ path: String, _ query: KeyValuePairs<String, String>) -> String {
        let pairs = query.map { "\($0.key)=\(Self.encode($0.value))" }.joined(separator: "&")
        return pairs.isEmpty ? text + path : "\(text)\(path)?\(pairs)"
    }

    private static func encode(_ value: String) -> String {
        var encoded = ""
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
                UInt8(ascii: "."), UInt8(ascii: "~"):
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            default: encoded += "%" + Hex.text([byte]).uppercased()
            }
        }
        return encoded
    }
}
