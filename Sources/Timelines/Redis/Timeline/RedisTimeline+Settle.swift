package import BelfryCore
import BelfryRedisClient

extension RedisTimeline {
    /// One round trip to the shards, and one to the directory for ids that have ended. A settlement and its successors are one step of one script; they stay in the
    /// shard of the settled push.
    package func settle(_ settlements: [Settlement]) async throws(TimelineError) -> [SettleOutcome]
    {
        var words: [[[UInt8]]] = []
        words.reserveCapacity(settlements.count)
        for settlement in settlements { words.append(try self.words(settlement)) }
        var sum = SettleSum(count: settlements.count)
        let ours = settlements.indices.filter { isOurs(settlements[$0].token) }
        let (plain, others) = divide(ours, of: settlements, words)
        await end(plain, words, &sum)
        await settle(others + sum.left.sorted(), of: settlements, words, &sum)
        do throws(TimelineError) { try await keep(sum.changes) } catch  where error.code == .full {
            // A full disk keeps nobody from ending what is held.
            configuration.told(error.message)
        }
        if let failure = sum.failure { throw failure }
        try await follow(settlements, sum.outcomes)
        return sum.outcomes
    }

    /// One by one, by their ids.
    private func settle(
        _ indices: [Int],
        of settlements: [Settlement],
        _ words: [[[UInt8]]],
        _ sum: inout SettleSum
    ) async {
        let groups = grouped(
            indices,
            by: { Generation(settlements[$0].token.generation).shard },
            limit: 128
        )
        let answers = await ask(
            groups.map { group in
                var call = call(scripts.settle, group.shard, isPromise: true)
                for part in group.items.flatMap({ words[$0] }) { call.append(part) }
                return (group.shard, call)
            }
        )
        for (group, answer) in zip(groups, answers) {
            do throws(TimelineError) {
                let answer = try answer.get()
                guard let parts = answer.reply.elements, parts.count == 2 else {
                    throw TimelineError(.corrupt, "a script gave no outcomes")
                }
                let sequences = try codes(parts[1]).compactMap { $0 }
                for (place, code) in try codes(parts[0]).enumerated() {
                    let index = group.items[place]
                    let outcome: SettleOutcome = try known(code)
                    sum.outcomes[index] = outcome
                    guard intents != nil, outcome != .stale, place + 1 < sequences.count else {
                        continue
                    }
                    let hasSuccessors = sequences[place + 1] > sequences[place]
                    sum.changes.append(
                        Intent(
                            .settle,
                            shard: group.shard,
                            answer,
                            place: place,
                            sequence: sequences[place],
                            outcome: outcome.rawValue,
                            Self.kept(words[index], withSuccessors: hasSuccessors)
                        )
                    )
                }
            } catch {
                sum.failure = error
            }
        }
    }

    /// A settlement as it is done again: without the number of its successors, each of them with its length instead.
    static func kept(_ words: [[UInt8]], withSuccessors: Bool) -> [UInt8] {
        var bytes = Array(words[0].dropLast(2))
        guard withSuccessors else { return bytes }
        for successor in words.dropFirst() {
            bytes.append(number: Int64(successor.count), 4)
            bytes += successor
        }
        return bytes
    }

    /// Tells the directory what has ended and what has begun.
    private func follow(_ settlements: [Settlement], _ outcomes: [SettleOutcome])
        async throws(TimelineError)
    {
        var ended: [(digest: PushDigest, shard: Int)] = []
        var begun: [(digest: PushDigest, shard: Int)] = []
        for (settlement, outcome) in zip(settlements, outcomes) where outcome != .stale {
            let shard = Generation(settlement.token.generation).shard
            let id = settlement.token.id
            if outcome != .settledCancelled {
                begun += settlement.successors.filter { $0.id != id }.map {
                    (PushDigest($0.id), shard)
                }
            }
            if outcome == .settledCancelled
                || (outcome == .settled && settlement.result.isEnd
                    && !settlement.successors.contains { $0.id == id })
            {
                ended.append((PushDigest(id), shard))
            }
        }
        try await forget(ended)
        guard !begun.isEmpty else { return }
        let old = try await directory(.move, begun)
        try await evict(
            zip(begun, old).compactMap { new, shard in
                shard.flatMap { $0 == new.shard ? nil : (new.digest, $0) }
            }
        )
    }

    /// Removes older versions that lie in other shards: of an id that was used for another recipient before.
    private func evict(_ old: [(digest: PushDigest, shard: Int)]) async throws(TimelineError) {
        guard !old.isEmpty else { return }
        let groups = grouped(old.indices, by: { old[$0].shard }, limit: 128)
        let answers = await ask(
            groups.map { group in
                var call = call(scripts.cancel, group.shard)
                for index in group.items { call.append(old[index].digest.bytes) }
                return (group.shard, call)
            }
        )
        var changes: [Intent] = []
        for (group, answer) in zip(groups, answers) {
            let answer = try answer.get()
            for (place, code) in try codes(answer.reply).enumerated() {
                let found = Found(shard: group.shard, answer: answer, place: place)
                changes += cancelled(old[group.items[place]].digest, found, code)
            }
        }
        try await keep(changes)
    }

    /// A settlement and its successors, as the script takes them.
    private func words(_ settlement: Settlement) throws(TimelineError) -> [[UInt8]] {
        var head = Self.words(settlement.token)
        switch settlement.result {
        case .done, .dead:
            head.append(0)
            head.append(number: 0, 6)
        case .retry(let due):
            head.append(1)
            head.append(number: StoredPush.clamp(due.milliseconds), 6)
        case .hold(let due):
            head.append(2)
            head.append(number: StoredPush.clamp(due.milliseconds), 6)
        }
        head.append(number: Int64(settlement.successors.count), 2)
        return [head] + (try successors(of: settlement))
    }

    private func successors(of settlement: Settlement) throws(TimelineError) -> [[UInt8]] {
        guard let person = settlement.successors.first?.recipient else { return [] }
        for push in settlement.successors where push.recipient != person {
            throw TimelineError(.invalid, "successor \(push.id): is for another recipient")
        }
        let batch: PushBatch
        do { batch = try PushBatch(settlement.successors) } catch {
            throw TimelineError(.invalid, "successor: \(error)")
        }
        var stored: [[UInt8]] = []
        let span = batch.bytes.span
        var offset = 0
        while offset < span.count, let record = PushRecord(span, at: offset) {
            stored.append(record.stored(in: span))
            offset += record.length
        }
        return stored
    }
}

/// What shards have said to one call of settle.
struct SettleSum {
    var outcomes: [SettleOutcome]
    /// Settlements that could not be done together with their batch.
    var left: [Int] = []
    var changes: [Intent] = []
    var failure: TimelineError?

    init(count: Int) { outcomes = Array(repeating: .stale, count: count) }
}

extension Settlement.Result {
    /// Whether nothing of the push is left after it.
    var isEnd: Bool {
        switch self {
        case .done, .dead: true
        case .retry, .hold: false
        }
    }
}
