import BelfryBench
import BelfryCore

extension Benchmark {
    /// With `-f 0`, "fsync every time it writes to the binlog" (beanstalkd(1)): durable before the answer, as ours is.
    static let scheduleBeanstalkd = beanstalkd(
        "schedule.beanstalkd",
        "Jobs put into beanstalkd with its binlog, synced before each answer (-f 0), pipelined, against schedule.durable",
        sync: 0,
        batches: 10
    )

    /// With `-f 50`, its default: what is accepted within 50 ms is lost with the power.
    static let scheduleBeanstalkdDefault = beanstalkd(
        "schedule.beanstalkd.50ms",
        "The same, synced every 50 ms at most (-f 50, its default)",
        sync: 50,
        batches: 500
    )

    private static func beanstalkd(
        _ name: String,
        _ summary: String,
        sync: Int,
        batches: Int
    ) -> Benchmark {
        Benchmark(name, summary) { setting in
            let pushes = setting.count(batches, least: 4) * BenchPushes.batch
            let seconds = try await put(pushes, sync: sync, folder: setting.folder)
            return [
                try await PeerLoad.measurement(name, pushes: pushes, seconds: seconds, setting)
            ]
        }
    }

    private static func put(_ pushes: Int, sync: Int, folder: String) async throws -> Double {
        let port = try LoopbackPort.free()
        let program = PeerProgram(
            "beanstalkd",
            path: try Installed.program("beanstalkd", package: "beanstalkd"),
            arguments: [
                "-l", "127.0.0.1", "-p", String(port), "-b", folder, "-f", String(sync),
            ],
            folder: folder
        )
        return try await PeerServer.during(program, port: port) { _ in
            let seconds = try await PeerLoad.put(
                0..<pushes,
                prepare: { (BeanstalkdProtocol.puts($0), $0.count) },
                connect: {
                    let connection = try LineConnection(port: port)
                    return { try connection.ask($0.0, for: $0.1, beginning: "INSERTED ") }
                }
            )
            // The last line of the answer to `stats` is empty; what is asked about comes early.
            let lines = try LineConnection(port: port).ask("stats\r\n", lines: 10)
            try PeerLoad.check(
                "beanstalkd",
                holds: BeanstalkdProtocol.delayed(lines) ?? 0,
                of: pushes
            )
            return seconds
        }
    }
}

/// The bytes of beanstalkd's protocol (protocol.txt of its sources).
enum BeanstalkdProtocol {
    /// One `put` for each push. It knows no ids of ours and no duplicates; the id goes into the body.
    static func puts(_ serials: Range<Int>) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(serials.count * 200)
        for serial in serials {
            let delay = BenchPushes.delay(serial).milliseconds / 1000
            let id = BenchPushes.id(serial)
            bytes += "put 0 \(delay) 60 \(id.count + BenchPushes.payload.count)\r\n".utf8
            bytes += id
            bytes += BenchPushes.payload
            bytes += [13, 10]
        }
        return bytes
    }

    /// The delayed jobs of an answer to `stats`.
    static func delayed(_ stats: [String]) -> Int? {
        let field = "current-jobs-delayed: "
        return stats.flatMap { $0.split(separator: "\n") }.first { $0.hasPrefix(field) }
            .flatMap { Int($0.dropFirst(field.count)) }
    }
}
