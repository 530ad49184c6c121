/// One answer of a Redis server.
package enum RedisReply: Sendable, Equatable {
    case text([UInt8])
    case integer(Int)
    case array([RedisReply])
    case none
    case error(RedisFailure)

    package var bytes: [UInt8]? {
        if case .text(let bytes) = self { bytes } else { nil }
    }

    /// The text of a string or a status; `nil` for anything else.
    package var string: String? { bytes.map { String(decoding: $0, as: UTF8.self) } }

    /// The number, also where the server writes it as text.
    package var number: Int? {
        switch self {
        case .integer(let value): value
        case .text: string.flatMap { Int($0) }
        default: nil
        }
    }

    package var elements: [RedisReply]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    /// Whether the shard must be adopted first.
    package var isStranger: Bool {
        if case .error(let failure) = self { failure.code == .stranger } else { false }
    }

    /// Itself, where it is no error.
    ///
    /// - Throws: ``RedisFailure``, as the server gave it.
    package func get() throws(RedisFailure) -> RedisReply {
        if case .error(let failure) = self { throw failure }
        return self
    }
}
