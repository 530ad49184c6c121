import BelfryBench

/// What a Redis server has done since it began.
struct RedisUsage {
    /// Seconds of its main thread, which alone carries out commands.
    var processor: Double
    /// Commands, those within scripts among them.
    var operations: Double
    /// Received and sent over the network.
    var bytes: Double
    /// Bytes that it has taken for data.
    var memory: Double

    /// - Throws: ``LoadFailure`` where the server does not say.
    init(port: Int) throws {
        let reply = try HiredisConnection(port: port).ask([Array("INFO".utf8)])
        try self.init(String(decoding: reply.bytes ?? [], as: UTF8.self))
    }

    /// - Parameter info: what the command INFO answers.
    init(_ info: String) throws {
        var fields: [Substring: Double] = [:]
        for line in info.split(separator: "\r\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2 { fields[parts[0]] = Double(parts[1]) }
        }
        func sum(_ names: Substring...) throws -> Double {
            try names.reduce(0) { sum, name in
                guard let field = fields[name] else { throw LoadFailure("INFO has no \(name)") }
                return sum + field
            }
        }
        processor = try sum("used_cpu_sys_main_thread", "used_cpu_user_main_thread")
        operations = try sum("total_commands_processed")
        bytes = try sum("total_net_input_bytes", "total_net_output_bytes")
        memory = try sum("used_memory")
    }

    static func - (later: RedisUsage, earlier: RedisUsage) -> RedisUsage {
        var span = later
        span.processor -= earlier.processor
        span.operations -= earlier.operations
        span.bytes -= earlier.bytes
        span.memory -= earlier.memory
        return span
    }
}
