import BelfryBench

extension Benchmark {
    /// A million pushes by a script, pipelined.
    static let scheduleRedis = Benchmark(
        "schedule.redis",
        "Pushes put into Redis by a script (hash and sorted set, AOF synced every second, pipelined), against schedule.durable"
    ) { setting in
        let pushes = setting.count(1000, least: 20) * BenchPushes.batch
        let seconds = try await RedisServer.during(folder: setting.folder) { redis in
            let seconds = try await redis.put(0..<pushes)
            try PeerLoad.check("Redis", holds: redis.pushes(), of: pushes)
            return seconds
        }
        return [
            try await PeerLoad.measurement(
                "schedule.redis",
                pushes: pushes,
                seconds: seconds,
                setting
            )
        ]
    }

    /// Redis holds whole records in memory; measured as ours is, from outside.
    static let memoryRedis = Benchmark(
        "memory.per-pending.redis",
        "Resident bytes that each of 10 million pushes adds to Redis"
    ) { setting in
        let pushes = setting.count(10_000, least: 100) * BenchPushes.batch
        return try await RedisServer.during(folder: setting.folder) { redis in
            let process = String(redis.server.processID)
            let before = try ProcessUsage.residentBytes(of: process)
            // Not more at a time than this process wants to hold.
            for start in stride(from: 0, to: pushes, by: 500_000) {
                _ = try await redis.put(start..<min(start + 500_000, pushes))
            }
            try PeerLoad.check("Redis", holds: redis.pushes(), of: pushes)
            let after = try ProcessUsage.residentBytes(of: process)
            let each = Double(after - before) / Double(pushes)
            return [Measurement("memory.per-pending.redis", each, "bytes")]
        }
    }
}
