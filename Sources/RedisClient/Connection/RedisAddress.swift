package import BelfryCore

/// Where a Redis server is and how to log in: `redis://[user[:password]@]host[:port][/database]`, or `rediss://` with TLS. Or where the sentinels are that know it:
/// `redis+sentinel://[user[:password]@]host[:port],host[:port]/name[/database]`; user and password are those of the server then.
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
    /// Who knows which server is the primary; empty: there is only the one.
    package var sentinels: [SentinelAddress] = []
    /// The name by which they know it.
    package var primaryName: String?
    /// What `?key=value` says besides, such as `shards`.
    package var options: [String: String]

    package var description: String {
        let who = user.isEmpty ? "" : user + "@"
        guard let primaryName else {
            return "\(usesTLS ? "rediss" : "redis")://\(who)\(host):\(port)/\(database)"
        }
        let places = sentinels.map(\.description).joined(separator: ",")
        return
            "\(usesTLS ? "rediss" : "redis")+sentinel://\(who)\(places)/\(primaryName)/\(database)"
    }

    /// How a sentinel is reached. It has no databases, and users of its own.
    func address(of sentinel: SentinelAddress) -> RedisAddress {
        var address = self
        address.sentinels = []
        address.primaryName = nil
        (address.host, address.port) = (sentinel.host, sentinel.port)
        address.user = options["sentinel-user"] ?? ""
        address.password = options["sentinel-password"] ?? ""
        address.database = 0
        return address
    }
}

/// Where a sentinel listens.
package struct SentinelAddress: Sendable, Hashable, CustomStringConvertible {
    package var host: String
    package var port: Int

    package var description: String { "\(host):\(port)" }
}

extension RedisAddress {
    /// Reads an address.
    ///
    /// - Throws: ``TimelineError`` with `invalid`, which says what is wrong and never holds the password.
    package init(_ text: String) throws(TimelineError) {
        var rest = text[...]
        let schemes = ["redis://", "rediss://", "redis+sentinel://", "rediss+sentinel://"]
        guard let scheme = schemes.first(where: { rest.hasPrefix($0) }) else {
            throw Self.wrong("must begin with redis:// or rediss://, or redis+sentinel://")
        }
        usesTLS = scheme.hasPrefix("rediss")
        rest = rest.dropFirst(scheme.count)
        options = [:]
        if let mark = rest.firstIndex(of: "?") {
            options = try Self.options(rest[rest.index(after: mark)...])
            rest = rest[..<mark]
        }
        if scheme.contains("sentinel") {
            guard let slash = rest.firstIndex(of: "/") else {
                throw Self.wrong(
                    "must name the primary behind the sentinels: host:port,host:port/name"
                )
            }
            let words = rest[slash...].dropFirst().split(
                separator: "/",
                maxSplits: 1,
                omittingEmptySubsequences: false
            )
            guard !words[0].isEmpty else { throw Self.wrong("names no primary") }
            primaryName = try Self.decoded(words[0])
            rest = Substring(String(rest[..<slash]) + (words.count > 1 ? "/" + words[1] : ""))
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
        guard primaryName != nil else {
            (host, port) = try Self.place(rest)
            return
        }
        for place in rest.split(separator: ",", omittingEmptySubsequences: false) {
            let (host, port) = try Self.place(place, usual: 26_379)
            sentinels.append(SentinelAddress(host: host, port: port))
        }
        (host, port) = (sentinels[0].host, sentinels[0].port)
    }

    /// Reads `host:port`, `[::1]:port` or a host alone.
    static func place(_ text: Substring, usual: Int = 6379)
        throws(TimelineError) -> (host: String, port: Int)
    {
        var host = text
        var port = usual
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
