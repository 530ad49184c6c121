package import BelfryCore
import BelfryRedisClient

extension RedisTimeline {
    /// Asks every shard for its clocks and for when it is next worth a look: one pipeline a server.
    func lookAtAll(deferring deferral: Deferral? = nil) async throws(TimelineError) {
        let answers = await askAll(scripts.look) { $0.append(deferral) }
        var names: [Int: String] = [:]
        for (shard, answer) in answers.enumerated() {
            names[shard] = try answer.get().reply.elements?.first?.string
        }
        try await hear(names)
        book.didLook()
    }

    package func nextDue() async throws(TimelineError) -> Timestamp? {
        try await lookAtAll()
        return book.nextDue
    }

    package func counts() async throws(TimelineError) -> TimelineCounts {
        var counts = TimelineCounts()
        for answer in await askAll(scripts.counts) {
            guard let parts = try answer.get().reply.elements, parts.count == 3,
                let pending = parts[0].number, let inFlight = parts[1].number,
                let accounts = parts[2].elements
            else { throw TimelineError(.corrupt, "the counts in Redis cannot be read") }
            counts.scheduled += pending - inFlight
            counts.inFlight += inFlight
            for index in stride(from: 0, to: accounts.count - 1, by: 2) {
                guard let name = accounts[index].string else { continue }
                counts.byAccount[name, default: 0] += accounts[index + 1].number ?? 0
            }
        }
        return counts
    }

    package func forecast(from: Timestamp, to: Timestamp, bucket: Duration)
        async throws(TimelineError) -> [Int]
    {
        let width = bucket.milliseconds
        guard width > 0 else { throw TimelineError(.invalid, "bucket: must be above zero") }
        let (span, overflow) = to.milliseconds.subtractingReportingOverflow(from.milliseconds)
        let count = overflow || span <= 0 ? 0 : (span - 1) / width + 1
        guard !overflow, count <= 10_000 else {
            throw TimelineError(.invalid, "from, to, bucket: more than 10000 buckets")
        }
        var totals = [Int](repeating: 0, count: Int(count))
        let answers = await askAll(scripts.forecast) { call in
            call.append(StoredPush.clamp(from.milliseconds))
            call.append(StoredPush.clamp(to.milliseconds))
            call.append(width)
        }
        for answer in answers {
            let parts = try codes(try answer.get().reply)
            for index in stride(from: 0, to: parts.count - 1, by: 2) {
                guard let bucket = parts[index], totals.indices.contains(bucket) else { continue }
                totals[bucket] += parts[index + 1] ?? 0
            }
        }
        return totals
    }

    private func askAll(_ script: RedisScript, _ add: (inout ScriptCall) -> Void = { _ in }) async
        -> [Result<ShardAnswer, TimelineError>]
    {
        await ask(
            (0..<configuration.shards).map { shard in
                var call = call(script, shard)
                add(&call)
                return (shard, call)
            }
        )
    }
}
