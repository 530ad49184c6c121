package import BelfryCore
import BelfryRedisClient

/// By id alone: the directory says which shard, in one round trip, the shard answers in another. What is not found there is asked of every shard, in one pipeline a
/// server, before it is said to be gone.
extension RedisTimeline {
    package func cancel(_ ids: [PushID]) async throws(TimelineError) -> [CancelOutcome] {
        var outcomes = [CancelOutcome](repeating: .gone, count: ids.count)
        var ended: [(digest: PushDigest, shard: Int)] = []
        var changes: [Intent] = []
        let digests = ids.map { PushDigest($0) }
        try await seek(digests, scripts.cancel, isPromise: true, digests.map(\.bytes)) {
            index,
            digest,
            found,
            reply throws(TimelineError) in
            changes += cancelled(digest, found, reply.number)
            switch reply.number {
            case 0:
                outcomes[index] = .cancelled
                ended.append((digest, found.shard))
            case 1: outcomes[index] = .inFlight
            case 2: return false
            case 3: outcomes[index] = .inFlightParked
            default: throw TimelineError(.corrupt, "a script gave an outcome that is not known")
            }
            return true
        }
        do throws(TimelineError) { try await keep(changes) } catch  where error.code == .full {
            // A full disk keeps nobody from cancelling.
            configuration.told(error.message)
        }
        try await forget(ended)
        return outcomes
    }

    package func find(_ ids: [PushID]) async throws(TimelineError) -> [Pending?] {
        var found = [Pending?](repeating: nil, count: ids.count)
        let digests = ids.map { PushDigest($0) }
        try await seek(digests, scripts.find, isPromise: false, digests.map(\.bytes)) {
            index,
            _,
            _,
            reply throws(TimelineError) in
            guard let parts = reply.elements else { return false }
            let pending = try Self.pending(parts)
            // Two ids may share a digest, in theory.
            guard pending.push.id == ids[index] else { return false }
            found[index] = pending
            return true
        }
        return found
    }

    /// What is to be kept of a cancel.
    func cancelled(_ digest: PushDigest, _ found: Found, _ code: Int?) -> [Intent] {
        guard intents != nil, let code, code != 2 else { return [] }
        return [
            Intent(
                .cancel,
                shard: found.shard,
                found.answer,
                place: found.place,
                sequence: found.answer.sequence,
                outcome: UInt8(code),
                digest.bytes
            )
        ]
    }

    /// Where one answer stands: the how manieth of which script's.
    struct Found {
        var shard: Int
        var answer: ShardAnswer
        var place: Int
    }

    /// Asks where the directory says, and then everywhere about what was not found.
    ///
    /// - Parameters:
    ///   - words: what the script is told of each.
    ///   - take: reads one answer; `false`: it is not there.
    func seek(
        _ digests: [PushDigest],
        _ script: RedisScript,
        isPromise: Bool,
        _ words: [[UInt8]],
        _ take: (Int, PushDigest, Found, RedisReply) throws(TimelineError) -> Bool
    ) async throws(TimelineError) {
        let homes = try await directory(.ask, digests.map { ($0, 0) })
        let likely = grouped(
            digests.indices.filter { homes[$0] != nil },
            by: { homes[$0] ?? 0 },
            limit: 128
        )
        var isFound = [Bool](repeating: false, count: digests.count)
        try await seek(likely, script, isPromise: isPromise, digests, words, &isFound, take)
        // A second mention of an id is asked for again, too: it may have ended by the first.
        let missing = digests.indices.filter { !isFound[$0] }
        guard !missing.isEmpty, configuration.shards > 1 else { return }
        let everywhere = (0..<configuration.shards).flatMap { shard in
            grouped(missing, by: { _ in shard }, limit: 256)
        }
        try await seek(everywhere, script, isPromise: isPromise, digests, words, &isFound, take)
    }

    private func seek(
        _ groups: [(shard: Int, items: [Int])],
        _ script: RedisScript,
        isPromise: Bool,
        _ digests: [PushDigest],
        _ words: [[UInt8]],
        _ isFound: inout [Bool],
        _ take: (Int, PushDigest, Found, RedisReply) throws(TimelineError) -> Bool
    ) async throws(TimelineError) {
        let answers = await ask(
            groups.map { group in
                var call = call(script, group.shard, isPromise: isPromise)
                for index in group.items { call.append(words[index]) }
                return (group.shard, call)
            }
        )
        for (group, answer) in zip(groups, answers) {
            let answer = try answer.get()
            for (place, reply) in (answer.reply.elements ?? []).enumerated() {
                let index = group.items[place]
                let found = Found(shard: group.shard, answer: answer, place: place)
                let isHere = try take(index, digests[index], found, reply)
                isFound[index] = isFound[index] || isHere
            }
        }
    }

    static func pending(_ parts: [RedisReply]) throws(TimelineError) -> Pending {
        let states: [Pending.State] = [.scheduled, .inFlight, .cancelling, .parked]
        guard parts.count == 8, let state = parts[0].number, states.indices.contains(state),
            let sequence = parts[1].number, let attempt = parts[2].number,
            let accepted = parts[3].number, let due = parts[4].number, let content = parts[5].bytes,
            let asked = parts[6].number, let collected = parts[7].elements
        else { throw TimelineError(.corrupt, "a record in Redis cannot be read") }
        return Pending(
            push: try StoredPush.push(content, due: Timestamp(milliseconds: Int64(due))),
            state: states[state],
            sequence: UInt64(sequence),
            attempt: attempt,
            asked: Timestamp(milliseconds: Int64(asked)),
            accepted: Timestamp(milliseconds: Int64(accepted)),
            collected: try payloads(collected)
        )
    }
}
