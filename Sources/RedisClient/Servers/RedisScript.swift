import Crypto

/// One Lua script, put together from parts.
package struct RedisScript: Sendable {
    package let source: [UInt8]
    /// The name that a server knows it by.
    package let digest: String

    package init(_ parts: [UInt8]...) {
        source = Array(parts.joined())
        digest = Insecure.SHA1.hash(data: source).map { byte in
            String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
        }.joined()
    }
}

/// One call of a script on one key, which says the server.
package struct ScriptCall: Sendable {
    package let script: RedisScript
    /// The key: a hash tag, where the script changes several.
    package let key: String
    /// Whether replicas must have what it changes before it counts as done.
    package let isPromise: Bool
    /// Whether a server that is not there is waited for. Otherwise what can be had of the others is worth more.
    package let isPatient: Bool
    package private(set) var arguments: [[UInt8]] = []

    package init(
        _ script: RedisScript,
        _ key: String,
        isPromise: Bool = false,
        isPatient: Bool = true
    ) {
        self.script = script
        self.key = key
        self.isPromise = isPromise
        self.isPatient = isPatient
    }

    package mutating func append(_ bytes: [UInt8]) { arguments.append(bytes) }
    package mutating func append(_ text: String) { arguments.append(Array(text.utf8)) }
    package mutating func append(_ number: Int64) { append(String(number)) }

    /// - Parameter server: who the server is that gets it (``ServerStanding/identity``).
    package func command(for server: String) -> RedisCommand {
        var command = RedisCommand("EVALSHA", script.digest, "1", key, server)
        for argument in arguments { command.append(argument) }
        return command
    }
}
