import CRabbitMQ

/// Where a broker is and as whom to talk to it: `amqp://[user[:password]@]host[:port][/vhost]`, or `amqps://` with TLS and its options
/// ([the scheme of RabbitMQ](https://www.rabbitmq.com/docs/uri-spec), [its options](https://www.rabbitmq.com/docs/uri-query-parameters)).
package struct RabbitMQAddress: Sendable, Hashable, CustomStringConvertible {
    package let host: String
    package let port: Int
    package let virtualHost: String
    package let user: String
    let password: String
    /// `nil`: without TLS.
    package let tls: RabbitMQTLS?

    private static let form = "must be amqp:// or amqps://[user[:password]@]host[:port][/vhost]"

    /// - Throws: ``RabbitMQAddressProblem`` that says what is allowed; it never repeats the password.
    package init(_ text: String) throws(RabbitMQAddressProblem) {
        let halves = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let isSecure = text.hasPrefix("amqps://")
        guard isSecure || text.hasPrefix("amqp://"),
            text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F })
        else { throw RabbitMQAddressProblem(Self.form) }
        let options = try Self.options(halves.count > 1 ? halves[1] : "")
        guard isSecure || options.isEmpty else {
            throw RabbitMQAddressProblem("may have options with amqps:// only")
        }
        tls = isSecure ? try RabbitMQTLS(options) : nil
        guard let parsed = Parts(halves[0]), !parsed.host.isEmpty,
            (1...65_535).contains(parsed.port)
        else { throw RabbitMQAddressProblem(Self.form) }
        host = parsed.host
        port = parsed.port
        virtualHost = parsed.virtualHost
        user = parsed.user
        password = parsed.password
    }

    private static func options(_ text: Substring) throws(RabbitMQAddressProblem) -> [String:
        String]
    {
        var options: [String: String] = [:]
        for pair in text.split(separator: "&") {
            let words = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard words.count == 2 else {
                throw RabbitMQAddressProblem("has options that are not key=value, joined by &")
            }
            options[String(words[0])] = String(words[1])
        }
        return options
    }

    private struct Parts {
        var host: String
        var port: Int
        var virtualHost: String
        var user: String
        var password: String

        init?(_ text: Substring) {
            var bytes = Array(String(text).utf8CString)
            // It writes into the text what it has decoded, and points there.
            let parts = bytes.withUnsafeMutableBufferPointer { buffer -> Parts? in
                var parsed = amqp_connection_info()
                guard amqp_parse_url(buffer.baseAddress, &parsed) == RabbitMQ.fine else {
                    return nil
                }
                return Parts(parsed)
            }
            guard let parts else { return nil }
            self = parts
        }

        private init(_ parsed: amqp_connection_info) {
            host = String(cString: parsed.host)
            port = Int(parsed.port)
            virtualHost = String(cString: parsed.vhost)
            user = String(cString: parsed.user)
            password = String(cString: parsed.password)
        }
    }

    /// Without the password.
    package var description: String {
        let scheme = tls == nil ? "amqp" : "amqps"
        return "\(scheme)://\(user)@\(host):\(port)/\(virtualHost == "/" ? "" : virtualHost)"
    }
}

/// Why a text is no ``RabbitMQAddress``.
package struct RabbitMQAddressProblem: Error, Sendable, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}

/// Numbers of librabbitmq that Swift sees as another type than where they are used.
enum RabbitMQ {
    /// `AMQP_STATUS_OK`.
    static let fine: Int32 = 0
    static let timedOut = Int32(AMQP_STATUS_TIMEOUT.rawValue)
    /// The only channel of a connection.
    static let channel: amqp_channel_t = 1

    static func text(_ bytes: amqp_bytes_t) -> String {
        String(
            decoding: UnsafeRawBufferPointer(start: bytes.bytes, count: bytes.len),
            as: UTF8.self
        )
    }

    static func text(_ status: Int32) -> String { String(cString: amqp_error_string2(status)) }
}
