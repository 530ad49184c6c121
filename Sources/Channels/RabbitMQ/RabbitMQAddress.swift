import CRabbitMQ

/// Where a broker is and as whom to talk to it: `amqp://[user[:password]@]host[:port][/vhost]`
/// ([the scheme of RabbitMQ](https://www.rabbitmq.com/docs/uri-spec)).
package struct RabbitMQAddress: Sendable, Hashable, CustomStringConvertible {
    package let host: String
    package let port: Int
    package let virtualHost: String
    package let user: String
    let password: String

    /// - Throws: ``RabbitMQAddressProblem`` that says what is allowed; it never repeats the password.
    package init(_ text: String) throws(RabbitMQAddressProblem) {
        guard !text.hasPrefix("amqps://") else {
            throw RabbitMQAddressProblem(
                "TLS to RabbitMQ is not built in: give amqp:// and a tunnel (stunnel, a service mesh)"
            )
        }
        guard text.hasPrefix("amqp://"), text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
            throw RabbitMQAddressProblem("must be amqp://[user[:password]@]host[:port][/vhost]")
        }
        var bytes = Array(text.utf8CString)
        // It writes into the text what it has decoded, and points there.
        let parsed = bytes.withUnsafeMutableBufferPointer { buffer in
            var parsed = amqp_connection_info()
            guard amqp_parse_url(buffer.baseAddress, &parsed) == RabbitMQ.fine else {
                return Parts?.none
            }
            return Parts(
                host: String(cString: parsed.host),
                port: Int(parsed.port),
                virtualHost: String(cString: parsed.vhost),
                user: String(cString: parsed.user),
                password: String(cString: parsed.password)
            )
        }
        guard let parsed, !parsed.host.isEmpty, (1...65_535).contains(parsed.port) else {
            throw RabbitMQAddressProblem("must be amqp://[user[:password]@]host[:port][/vhost]")
        }
        host = parsed.host
        port = parsed.port
        virtualHost = parsed.virtualHost
        user = parsed.user
        password = parsed.password
    }

    private struct Parts {
        var host: String
        var port: Int
        var virtualHost: String
        var user: String
        var password: String
    }

    /// Without the password.
    package var description: String {
        "amqp://\(user)@\(host):\(port)/\(virtualHost == "/" ? "" : virtualHost)"
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
