package import BelfryCore
import BelfryRedisClient

extension RedisTimeline {
    /// Two round trips: the directory, then the shards, each with one script for up to 128 pushes.
    package func schedule(_ batch: PushBatch) async throws(TimelineError) -> [ScheduleOutcome] {
        let shards = configuration.shards
        var ids: [(digest: PushDigest, shard: Int)] = []
        var pushes: [[UInt8]] = []
        ids.reserveCapacity(batch.count)
        pushes.reserveCapacity(batch.count)
        let span = batch.bytes.span
        var offset = 0
        while offset < span.count, let record = PushRecord(span, at: offset) {
            ids.append((record.digest(in: span), record.shard(in: span, among: shards)))
            pushes.append(record.stored(in: span))
            offset += record.length
        }
        let homes = try await directory(.claim, ids)
        let groups = grouped(ids.indices, by: { homes[$0] ?? ids[$0].shard }, limit: 128)
        let answers = await ask(
            groups.map { group in
                var call = call(scripts.put, group.shard, isPromise: true)
                call.append(hints)
                for index in group.items { call.append(pushes[index]) }
                return (group.shard, call)
            }
        )
        var outcomes = [ScheduleOutcome](repeating: .accepted, count: ids.count)
        var changes: [Intent] = []
        var failure: TimelineError?
        for (group, answer) in zip(groups, answers) {
            do throws(TimelineError) {
                let answer = try answer.get()
                var sequence = answer.sequence
                for (place, code) in try codes(answer.reply).enumerated() {
                    let index = group.items[place]
                    let outcome: ScheduleOutcome = try known(code)
                    outcomes[index] = outcome
                    guard intents != nil, outcome != .refusedTooFar else { continue }
                    changes.append(
                        Intent(
                            .put,
                            shard: group.shard,
                            answer,
                            place: place,
                            sequence: sequence,
                            outcome: outcome.rawValue,
                            pushes[index]
                        )
                    )
                    sequence += 1
                }
            } catch {
                failure = error
            }
        }
        try await keep(changes)
        if let failure { throw failure }
        return outcomes
    }

    /// The channel on which it is told that something is due earlier than before.
    var hints: String { "\(configuration.prefix):hints" }

    /// What a script's number means.
    func known<Outcome: RawRepresentable<UInt8>>(_ code: Int?) throws(TimelineError) -> Outcome {
        guard let code, let raw = UInt8(exactly: code), let outcome = Outcome(rawValue: raw) else {
            throw TimelineError(.corrupt, "a script gave an outcome that is not known")
        }
        return outcome
    }
}
