import CLibPQ

/// Where a PostgreSQL server is and how to log in: `postgres://[user[:password]@]host[:port][/database][?option=value]`, or `postgresql://`, as libpq
/// reads it (several hosts, `sslmode`, `sslrootcert`, `target_session_attrs` and all its other options included).
///
/// Never printed whole: ``description`` leaves the password out.
package struct PostgresAddress: Sendable, Hashable, CustomStringConvertible {
    /// What libpq is told, by its own names: `host`, `port`, `user`, `dbname` …
    let options: [String: String]

    /// - Throws: ``PostgresFailure`` with `invalid`, which says what is wrong and never holds the password.
    package init(_ text: String) throws(PostgresFailure) {
        guard Self.isOne(text) else {
            throw Self.wrong("must begin with postgres:// or postgresql://")
        }
        var problem: UnsafeMutablePointer<CChar>?
        let parsed = PQconninfoParse(text, &problem)
        defer {
            PQconninfoFree(parsed)
            PQfreemem(problem)
        }
        guard let parsed else { throw Self.wrong(Self.problem(problem, in: text)) }
        var options: [String: String] = [:]
        var next = parsed
        while let keyword = next.pointee.keyword {
            if let value = next.pointee.val {
                options[String(cString: keyword)] = String(cString: value)
            }
            next += 1
        }
        guard options["host"] != nil || options["hostaddr"] != nil else {
            throw Self.wrong("names no host")
        }
        self.options = options
    }

    /// Whether a text is an address of this kind at all.
    package static func isOne(_ text: String) -> Bool {
        text.hasPrefix("postgres://") || text.hasPrefix("postgresql://")
    }

    package var description: String {
        let user = options["user"].map { $0 + "@" } ?? ""
        let hosts = (options["host"] ?? options["hostaddr"] ?? "").split(separator: ",")
        let ports = (options["port"] ?? "").split(
            separator: ",",
            omittingEmptySubsequences: false
        )
        let places = hosts.indices.map { index in
            let port = ports.indices.contains(index) ? ports[index] : ports.first ?? ""
            return "\(hosts[index]):\(port.isEmpty ? "5432" : port)"
        }
        return
            "postgres://\(user)\(places.joined(separator: ","))/\(options["dbname"] ?? options["user"] ?? "")"
    }

    /// libpq quotes the whole address in some of its words: those are not passed on.
    private static func problem(_ message: UnsafeMutablePointer<CChar>?, in text: String) -> String
    {
        guard let message else { return "cannot be read" }
        let words = String(cString: message).split(separator: "\n").joined(separator: " ")
        let rest = text.drop { $0 != ":" }.dropFirst(3)
        let isSafe = !rest.contains("@") && words.count < 200
        return isSafe ? "is wrong: \(words)" : "cannot be read: user:password@host:port/database"
    }

    private static func wrong(_ problem: String) -> PostgresFailure {
        PostgresFailure(.invalid, "the PostgreSQL address \(problem)")
    }
}
