package import BelfryCore

/// Where a Redis server is and how to log in: `redis://[user[:password]@]host[:port][/database]`, or `rediss://` with TLS.
///
/// Never printed whole: ``description`` leaves the password out.
package struct RedisAddress: Sendable, Hashable, CustomStringConvertible {
    package var host: String
    package var port: Int
    /// An ACL user; empty: the server's default user.
    package var user: String
    /// Empty: none is needed.
    package var password: String
    package var database: Int
    package var usesTLS: Bool
    /// What `?key=value` says besides, such as `shards`.
    package var options: [String: String]

    package var description: String {
        "\(usesTLS ? "rediss" : "redis")://\(user.isEmpty ? "" : user + "@")\(host):\(port)/\(database)"
    }
}

extension RedisAddress {
    /// Reads an address.
    ///
    /// - Throws: ``TimelineError`` with `invalid`, which says what is wrong and never holds the password.
    package init(_ text: String) throws(TimelineError) {
        var rest = text[...]
        if rest.hasPrefix("redis://") {
            usesTLS = false
        } else if rest.hasPrefix("rediss://") {
            usesTLS = true
        } else {
            throw Self.wrong("must begin with redis:// or rediss://")
        }
        rest = rest.dropFirst(usesTLS ? 9 : 8)
        options = [:]
        if let mark = rest.firstIndex(of: "?") {
            options = try Self.options(rest[rest.index(after: mark)...])
            rest = rest[..<mark]
        }
        database = 0
        if let slash = rest.firstIndex(of: "/") {
            let name = rest[rest.index(after: slash)...]
            guard let number = name.isEmpty ? 0 : Int(name), number >= 0 else {
                throw Self.wrong("the database must be a number, such as /0")
            }
            database = number
            rest = rest[..<slash]
        }
        (user, password) = ("", "")
        if let at = rest.lastIndex(of: "@") {
            let words = rest[..<at].split(
                separator: ":",
                maxSplits: 1,
                omittingEmptySubsequences: false
            )
            user = try Self.decoded(words[0])
            password = words.count > 1 ? try Self.decoded(words[1]) : ""
            rest = rest[rest.index(after: at)...]
        }
        (host, port) = try Self.place(rest)
    }

    /// Reads `host:port`, `[::1]:port` or a host alone.
    static func place(_ text: Substring) throws(TimelineError) -> (host: String, port: Int) {
        var host = text
        var port = 6379
        let bracket = text.lastIndex(of: "]")
        if let colon = text.lastIndex(of: ":"), bracket.map({ $0 < colon }) ?? true {
            guard let number = Int(text[text.index(after: colon)...]), 1...65_535 ~= number else {
                throw wrong("the port must be 1 to 65535")
            }
            port = number
            host = text[..<colon]
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty else { throw wrong("names no host") }
        return (String(host), port)
    }

    private static func options(_ text: Substring) throws(TimelineError) -> [String: String] {
        var options: [String: String] = [:]
        for pair in text.split(separator: "&") {
            let words = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard words.count == 2 else { throw wrong("options are key=value, joined by &") }
            options[String(words[0])] = try decoded(words[1])
        }
        return options
    }

    /// Takes percent signs apart.
    private static func decoded(_ text: Substring) throws(TimelineError) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let code = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            else { throw wrong("a % must be followed by two hexadecimal digits") }
            bytes.append(code)
            rest = rest.dropFirst(2)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func wrong(_ problem: String) -> TimelineError {
        TimelineError(.invalid, "the Redis address \(problem)")
    }
}
